import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Grouping } from '../../../domain/contracts/gates.ts';
import type { GateResult } from '../../../domain/contracts/plan.ts';
import { THRESHOLDS } from '../../../domain/incident/thresholds.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { wilson } from '../../../forensics/statistics/interval.ts';
import type { Measured } from '../../../forensics/validation/accuracy.ts';
import { equalisedOddsDifference, fairnessGates, selectionRatio } from '../../../forensics/validation/fairness.ts';
import { groupsOf } from '../../../forensics/validation/grouping.ts';
import { sliceGate } from '../../../forensics/validation/slices.ts';

/** Credit records of two features, sex (1 or 2) and age; 6 of 10 of either sex are labelled "repaid". */
const COUNT = 600;
const CLASSES = ['default', 'repaid'];
const REPAID = 1;
const features = Float32Array.from({ length: COUNT * 2 }, (_, index) =>
  index % 2 === 0 ? 1 + (((index / 2) % 4 === 0 ? 1 : 0) as number) : 20 + (((index - 1) / 2) % 50),
);
const sexOf = (row: number) => features[row * 2] ?? 0;
const labels = Int32Array.from({ length: COUNT }, (_, row) => (Math.floor(row / 4) % 10 < 6 ? REPAID : 0));
const columns = { features, width: 2, count: COUNT };
const SEX: Grouping = { name: 'sex', feature: 0, values: [1, 2] };
const AGE: Grouping = { name: 'age', feature: 1, threshold: 45 };

function model(answer: (label: number, row: number) => number): Measured {
  const predicted = Int32Array.from(labels, (label, row) => answer(label, row));
  const right = Uint8Array.from(predicted, (own, row) => (own === labels[row] ? 1 : 0));
  return {
    predicted,
    sureness: { confidence: new Float64Array(COUNT).fill(0.9), right },
    evaluation: { dataset: digestOf('x'), accuracy: wilson(0, 0), perClass: [], ece: 0, meanConfidence: 0.9 },
  };
}
/** Errs on one record in twenty, whoever it is about. */
const fair = model((label, row) => (Math.floor(row / 4) % 20 === 7 ? 1 - label : label));
/** Refuses half of those of sex 2 who would repay. */
const biased = model((label, row) => (sexOf(row) === 2 && Math.floor(row / 4) % 2 === 0 ? 0 : label));

const judged = (
  candidate: Measured | null,
  about: { golden?: Measured | null; attributes?: readonly Grouping[]; favourable?: string } = {},
): readonly GateResult[] =>
  fairnessGates({
    candidate,
    golden: about.golden === undefined ? fair : about.golden,
    labels,
    classes: CLASSES,
    thresholds: THRESHOLDS.high,
    fairness: {
      favourable: about.favourable ?? 'repaid',
      attributes: (about.attributes ?? [SEX]).map((grouping) => ({ grouping, groups: groupsOf(grouping, columns) })),
    },
  });
const verdicts = (gates: readonly GateResult[]) => gates.map((gate) => `${gate.id} ${gate.verdict}`);

describe('groups', () => {
  it('are the two sides of a threshold, or one for each value', () => {
    expect(groupsOf(AGE, columns)?.map(({ name, rows }) => `${name}: ${rows.length}`)).toEqual([
      'age ≤ 45: 312',
      'age > 45: 288',
    ]);
    expect(groupsOf(SEX, columns)?.map(({ name, rows }) => `${name}: ${rows.length}`)).toEqual([
      'sex = 1: 450',
      'sex = 2: 150',
    ]);
  });

  it('find a declared decimal among float32 features', () => {
    const table = { features: Float32Array.of(0.1, -1.37, 0.1), width: 1, count: 3 };
    const groups = groupsOf({ name: 'x', feature: 0, values: [0.1, -1.37] }, table);
    expect(groups?.map((group) => group.rows)).toEqual([[0, 2], [1]]);
  });
});

describe('the gates of fairness', () => {
  it('let a model pass that treats both groups alike', () => {
    expect(verdicts(judged(fair))).toEqual(['fairness:sex:selection pass', 'fairness:sex:equalised-odds pass']);
  });

  it('stop a model that refuses one group what it deserves, and say how often', () => {
    const [selection, odds] = judged(biased);
    expect(selection?.verdict).toBe('fail');
    expect(selection?.reason).toMatch(/"repaid" is answered to [\d.]+ % of sex = 2, 60\.\d % of sex = 1/);
    expect(odds?.verdict).toBe('fail');
    expect(odds?.figure).toMatchObject({ method: 'bootstrap', n: COUNT });
  });

  it('do not blame the repair for what the golden model does as well', () => {
    expect(verdicts(judged(biased, { golden: biased }))).toEqual([
      'fairness:sex:selection pass',
      'fairness:sex:equalised-odds pass',
    ]);
  });

  it('never pass where something cannot be measured', () => {
    const nobody = model(() => 0);
    const unmeasurable: readonly (readonly GateResult[])[] = [
      judged(null),
      judged(fair, { golden: null }),
      judged(fair, { favourable: 'granted' }),
      judged(fair, { attributes: [{ name: 'sex', feature: 9, values: [1, 2] }] }),
      judged(fair, { attributes: [{ name: 'sex', feature: 0, values: [1, 2, 3] }] }),
      judged(fair, { attributes: [{ name: 'age', feature: 1, threshold: 21 }] }),
    ];
    for (const gates of unmeasurable)
      expect(gates.map((gate) => gate.verdict)).toEqual(['inconclusive', 'inconclusive']);
    expect(judged(nobody)[0]?.verdict).toBe('inconclusive');
  });

  it('say which group has too few records', () => {
    const [gate] = judged(fair, { attributes: [{ name: 'sex', feature: 0, values: [1, 3] }] });
    expect(gate?.reason).toBe('Only 0 records of the hold-out have sex = 3; at least 30 are needed.');
  });
});

describe('the measures of fairness', () => {
  const counts = fc
    .record({ deserving: fc.integer({ min: 1, max: 40 }), others: fc.integer({ min: 1, max: 40 }) })
    .chain(({ deserving, others }) =>
      fc.tuple(fc.nat(deserving), fc.nat(others)).map(([rightly, wrongly]) => ({
        all: deserving + others,
        deserving,
        rightly,
        favoured: rightly + wrongly,
      })),
    );

  it('are best for equal groups, stay within 0 and 1, and do not care about the order of the groups', () => {
    fc.assert(
      fc.property(fc.array(counts, { minLength: 2, maxLength: 5 }), (groups) => {
        const ratio = selectionRatio(groups);
        const odds = equalisedOddsDifference(groups);
        const turned = [...groups].reverse();
        const same = groups.map(() => groups[0] ?? { all: 1, deserving: 1, rightly: 0, favoured: 0 });
        return (
          (Number.isNaN(ratio) || (ratio >= 0 && ratio <= 1)) &&
          odds >= 0 &&
          odds <= 1 &&
          Object.is(selectionRatio(turned), ratio) &&
          equalisedOddsDifference(turned) === odds &&
          equalisedOddsDifference(same) === 0
        );
      }),
    );
  });

  it('agree with a worked example: 30 of 50 and 12 of 40 favoured, of whom 27 of 30 and 8 of 16 rightly', () => {
    const groups = [
      { all: 50, favoured: 30, deserving: 30, rightly: 27 },
      { all: 40, favoured: 12, deserving: 16, rightly: 8 },
    ];
    expect(selectionRatio(groups)).toBeCloseTo(0.5, 12);
    expect(equalisedOddsDifference(groups)).toBeCloseTo(0.4, 12);
  });
});

describe('the gate of slices', () => {
  const declared = [SEX, AGE].map((grouping) => ({ grouping, groups: groupsOf(grouping, columns) }));
  const needs = { labels, thresholds: THRESHOLDS.high };

  it('names the slice that lost most', () => {
    const gate = sliceGate({ ...needs, candidate: biased, golden: model((label) => label) }, declared);
    expect(gate.verdict).toBe('fail');
    expect(gate.reason).toContain('Of 4 slices, sex = 2 changes most');
    expect(gate.figure).toMatchObject({ method: 'wilson', n: 150 });
  });

  it('lets a model pass that errs where the golden model errs', () => {
    expect(sliceGate({ ...needs, candidate: fair, golden: fair }, declared).verdict).toBe('pass');
  });

  it('never passes where a declared slice cannot be measured', () => {
    const far: Grouping = { name: 'amount', feature: 7, threshold: 1 };
    for (const bad of [[{ grouping: far, groups: groupsOf(far, columns) }], []])
      expect(sliceGate({ ...needs, candidate: fair, golden: fair }, bad).verdict).toBe('inconclusive');
    expect(sliceGate({ ...needs, candidate: null, golden: fair }, declared).verdict).toBe('inconclusive');
  });
});
