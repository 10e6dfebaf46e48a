import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPredictor, type Predictor } from '../../../forensics/predictor/predictor.ts';
import { createNormal, createRandom } from '../../../forensics/statistics/bootstrap.ts';
import {
  exposureOf,
  membershipGate,
  unknownExposure,
  type Exposure,
} from '../../../forensics/validation/membership.ts';
import { recordsAt, sample } from '../../../forensics/validation/sample.ts';
import { columnsOf, digits, modelBytes } from '../vectors.ts';

const holdout = columnsOf('holdout');
const training = columnsOf('golden');

let golden: Predictor;
beforeAll(async () => {
  golden = await createPredictor(modelBytes('digits-golden'));
});
afterAll(async () => {
  await golden.close();
});

/** Losses of members and others, normal and so many standard deviations apart. */
function exposure(apart: number, size = 800): Exposure {
  const normal = createNormal(createRandom(3));
  return {
    members: Array.from({ length: size }, () => normal()),
    others: Array.from({ length: size }, () => normal() + apart),
  };
}

describe('the gate of membership', () => {
  it('lets the golden model itself pass, measured on its own training records', async () => {
    const own = await exposureOf(golden, training, holdout, digits.shape);
    expect(own.members).toHaveLength(800);
    const gate = membershipGate({ candidate: own, golden: own }, 0.6);
    expect(gate).toMatchObject({ verdict: 'pass', figure: { method: 'delong' } });
    // It knows its training records a little better than others: an attack that finds nothing would stand at one half.
    expect((gate.figure as { value: number }).value).toBeGreaterThan(0.5);
  });

  it('stops a model that remembers its training records', () => {
    const gate = membershipGate({ candidate: exposure(1), golden: exposure(0) }, 0.6);
    expect(gate.verdict).toBe('fail');
    expect((gate.figure as { value: number }).value).toBeCloseTo(0.76, 1);
  });

  it('allows what the golden model exposes, and a little more', () => {
    expect(membershipGate({ candidate: exposure(1), golden: exposure(0.95) }, 0.6).verdict).toBe('pass');
  });

  it('stays undecided with too few records, and where chance may explain the excess', () => {
    const few = { members: [1], others: [2, 3] };
    expect(membershipGate({ candidate: few, golden: few }, 0.6).verdict).toBe('inconclusive');
    const small: Exposure = { members: [1, 2, 3, 4, 9], others: [2.5, 3.5, 5, 6, 7] };
    expect(membershipGate({ candidate: small, golden: exposure(0) }, 0.6).verdict).toBe('inconclusive');
  });

  it('is told as not measured where it is not known what the candidate was trained on', () => {
    expect(unknownExposure()).toMatchObject({ figure: null, words: expect.stringContaining('not on record') });
  });
});

describe('a sample of records', () => {
  it('repeats no record, has all where all are wanted, and is the same from the same seed', () => {
    const rows = sample(100, 30, createRandom(1));
    expect(new Set(rows).size).toBe(30);
    expect(sample(100, 30, createRandom(1))).toEqual(rows);
    expect([...sample(7, 50, createRandom(1))].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('keeps features, labels and ids of a record together', () => {
    const [row = 0] = sample(holdout.count, 1, createRandom(9));
    const one = recordsAt(holdout, [row]);
    expect(one).toMatchObject({ count: 1, ids: [holdout.ids[row]], labels: Int32Array.of(holdout.labels[row] ?? -1) });
    expect(one.features).toEqual(holdout.features.slice(row * 64, (row + 1) * 64));
  });
});
