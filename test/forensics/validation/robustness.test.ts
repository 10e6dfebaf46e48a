import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPredictor, type Predictor } from '../../../forensics/predictor/predictor.ts';
import { createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { attackSpace, gridOf } from '../../../forensics/validation/attack-space.ts';
import { patchAttack, patchesOf, patchSide } from '../../../forensics/validation/patch.ts';
import { attackBoth, robustnessGate } from '../../../forensics/validation/robustness.ts';
import { sideOf, squareAttack } from '../../../forensics/validation/square.ts';
import { columnsOf, digits, modelBytes } from '../vectors.ts';

const BUDGET = { epsilon: 0.1, records: 200, queries: 100, seconds: 60, steps: 20, restarts: 4, seed: 0 };
/** On this one nothing takes any time. */
const still = () => 0;
const holdout = { columns: columnsOf('holdout'), shape: digits.shape };

/** A model of two classes that answers by the sign of a weighted sum, and keeps what it was asked. */
function linear(weights: readonly number[], asked: Float32Array[] = []): Predictor {
  const width = weights.length;
  return {
    featureShape: [width],
    logits: async (features, count) => {
      asked.push(features.slice());
      const scores = new Float32Array(count * 2);
      for (let row = 0; row < count; row++)
        scores[row * 2 + 1] = weights.reduce((sum, weight, at) => sum + weight * (features[row * width + at] ?? 0), 0);
      return { scores, classes: 2 };
    },
    probabilities: async () => ({ scores: new Float32Array(), classes: 2 }),
    close: async () => {},
  };
}

/** Records of eight features within −1 and 1, labelled as the model answers them. */
const WEIGHTS = [2, -1, 0.5, 1.5, -0.25, 1, -2, 0.75];
const random = createRandom(5);
const table = Float32Array.from({ length: 400 * 8 }, () => 2 * random() - 1);
const scoreOf = (row: number) => WEIGHTS.reduce((sum, weight, at) => sum + weight * (table[row * 8 + at] ?? 0), 0);
const columns = {
  ...columnsOf('holdout'),
  count: 400,
  width: 8,
  features: table,
  labels: Int32Array.from({ length: 400 }, (_, row) => (scoreOf(row) > 0 ? 1 : 0)),
};

let golden: Predictor;
let suspect: Predictor;
beforeAll(async () => {
  golden = await createPredictor(modelBytes('digits-golden'));
  suspect = await createPredictor(modelBytes('digits-suspect'));
});
afterAll(async () => {
  await golden.close();
  await suspect.close();
});

describe('Square attack', () => {
  it('breaks no record of a linear model that is out of its reach, and nearly all that are within', async () => {
    const space = attackSpace(columns, [8], { ...BUDGET, records: 400, epsilon: 0.05 });
    const right = await squareAttack(linear(WEIGHTS), space, { queries: 200, seed: 1 });
    // Known in closed form: the margin of a linear model falls by at most ε · ‖w‖₁ (here less where the bounds cut).
    const reach = WEIGHTS.reduce((sum, weight, at) => sum + Math.abs(weight) * (space.step[at] ?? 0), 0);
    const margins = Array.from({ length: space.count }, (_, row) =>
      Math.abs(WEIGHTS.reduce((sum, weight, at) => sum + weight * (space.features[row * 8 + at] ?? 0), 0)),
    );
    const beyond = margins.flatMap((margin, row) => (margin > reach + 1e-5 ? [row] : []));
    const within = margins.flatMap((margin, row) => (margin < 0.8 * reach ? [row] : []));
    expect(beyond.length).toBeGreaterThan(100);
    expect(within.length).toBeGreaterThan(50);
    expect(beyond.filter((row) => right[row] === 0)).toEqual([]);
    expect(within.filter((row) => right[row] === 1).length / within.length).toBeLessThan(0.1);
  });

  it('moves no feature further than epsilon of its range, and none out of its range', async () => {
    const asked: Float32Array[] = [];
    const space = attackSpace(columns, [8], { ...BUDGET, records: 50 });
    // Nothing it can reach changes the answer: all 50 records are asked about in every question.
    const labels = new Int32Array(50).fill(1);
    const answers = linear(new Array<number>(8).fill(0), asked);
    const stubborn: Predictor = {
      ...answers,
      logits: async (features, count) => {
        await answers.logits(features, count);
        return { scores: Float32Array.from({ length: count * 2 }, (_, index) => index % 2), classes: 2 };
      },
    };
    await squareAttack(stubborn, { ...space, labels }, { queries: 60, seed: 0 });
    expect(asked).toHaveLength(60);
    for (const features of asked) {
      expect(features).toHaveLength(50 * 8);
      const strayed = features.filter((value, index) => {
        const at = index % 8;
        const far = Math.abs(value - (space.features[index] ?? NaN)) > (space.step[at] ?? 0) + 1e-6;
        return far || value < (space.low[at] ?? NaN) || value > (space.high[at] ?? NaN);
      });
      expect(strayed).toHaveLength(0);
    }
  });

  it('is the same again from the same seed, and finds no less with a larger budget', async () => {
    const space = attackSpace(holdout.columns, holdout.shape, { ...BUDGET, records: 60 });
    const left = async (queries: number) => await squareAttack(golden, space, { queries, seed: 3 });
    const short = await left(20);
    expect(await left(20)).toEqual(short);
    const count = (right: Uint8Array) => right.reduce((sum, one) => sum + one, 0);
    expect(count(await left(120))).toBeLessThan(count(short));
  });

  it('begins with large squares and ends with single cells', () => {
    expect([0, 0.003, 0.03, 0.3, 0.99].map((spent) => sideOf(spent, gridOf([3, 28, 28])))).toEqual([25, 18, 9, 3, 1]);
    expect([0, 0.99].map((spent) => sideOf(spent, gridOf([20])))).toEqual([16, 1]);
    expect(sideOf(0, gridOf([1]))).toBe(1);
  });
});

describe('random patches', () => {
  it('are stickers: a twentieth of the picture, one for ten questions of the budget', () => {
    expect([gridOf([1, 8, 8]), gridOf([3, 28, 28]), gridOf([1, 1, 1])].map(patchSide)).toEqual([2, 6, 1]);
    expect([1, 100, 1000].map((queries) => patchesOf({ queries }))).toEqual([1, 10, 100]);
  });

  it('change one square of the picture and nothing else', async () => {
    const asked: Float32Array[] = [];
    const space = attackSpace(holdout.columns, holdout.shape, { ...BUDGET, records: 50 });
    const watched: Predictor = {
      ...golden,
      logits: async (features, count, shape) => {
        asked.push(features.slice());
        return await golden.logits(features, count, shape);
      },
    };
    await patchAttack(watched, space, { queries: 20, seed: 0 });
    const [plain, patched] = asked;
    const standing = (patched?.length ?? 0) / 64;
    expect(plain).toHaveLength(50 * 64);
    expect(standing).toBeGreaterThan(40);
    for (let record = 0; record < standing; record++) {
      const own = patched?.subarray(record * 64, (record + 1) * 64) ?? new Float32Array();
      const changes = Array.from({ length: 50 }, (_, row) => space.features.subarray(row * 64, (row + 1) * 64)).map(
        (original) => Array.from(own.keys()).filter((at) => own[at] !== original[at]).length,
      );
      expect(Math.min(...changes)).toBeLessThanOrEqual(4);
    }
  });
});

describe('the gates of robustness', () => {
  it('let the golden model itself pass, with the same figures on both sides', async () => {
    const withstood = await attackBoth({ candidate: golden, golden }, holdout, BUDGET, still);
    expect(withstood.map((one) => one.attack)).toEqual(['square', 'patch']);
    for (const one of withstood) {
      const gate = robustnessGate(one, 10);
      expect(gate.verdict).toBe('pass');
      expect(gate.figure).toEqual(gate.golden);
      expect(gate.figure).toMatchObject({ method: 'wilson', n: 200 });
    }
  });

  it('stop a model that falls where the golden one stands', () => {
    const stands = new Uint8Array(200).fill(1);
    const falls = stands.map((_, record) => (record % 3 === 0 ? 0 : 1));
    const judged = (candidate: Uint8Array, reference: Uint8Array) =>
      robustnessGate({ attack: 'square', candidate, golden: reference, budget: BUDGET }, 10);
    expect(judged(falls, stands).verdict).toBe('fail');
    expect(judged(stands, falls).verdict).toBe('pass');
    expect(
      judged(
        stands.map((_, record) => (record % 8 === 0 ? 0 : 1)),
        stands,
      ).verdict,
    ).toBe('inconclusive');
  });

  it('say so where the golden model withstands so little that nothing can be lost', () => {
    const nothing = new Uint8Array(100);
    const gate = robustnessGate({ attack: 'square', candidate: nothing, golden: nothing, budget: BUDGET }, 10);
    expect(gate.reason).toContain('this gate can tell little');
  });

  it('stay undecided without records, and count a model that answers with NaN as beaten', async () => {
    const none = new Uint8Array();
    expect(robustnessGate({ attack: 'patch', candidate: none, golden: none, budget: BUDGET }, 10).verdict).toBe(
      'inconclusive',
    );
    const mute: Predictor = {
      ...golden,
      logits: async (_features, count) => ({ scores: new Float32Array(count * 10).fill(NaN), classes: 10 }),
    };
    const [square] = await attackBoth({ candidate: mute, golden }, holdout, { ...BUDGET, queries: 10 }, still);
    expect(square && robustnessGate(square, 10).verdict).toBe('fail');
  });

  it('ask a slow model less, both models alike, and say how often', async () => {
    const model = linear(WEIGHTS);
    const every = (ms: number) => {
      let now = 0;
      return () => (now += ms);
    };
    const attacked = async (ms: number) =>
      await attackBoth({ candidate: model, golden: model }, { columns, shape: [8] }, BUDGET, every(ms));
    // 60 s hold 40 questions of a second with half a second for what is between them.
    const [slow] = await attacked(1000);
    expect(slow?.budget.queries).toBe(40);
    expect(slow && robustnessGate(slow, 10).reason).toContain('40 questions each');
    const [crawling] = await attacked(10_000);
    expect(crawling && robustnessGate(crawling, 10)).toMatchObject({
      verdict: 'inconclusive',
      reason: 'The models are too slow for 10 questions in 60 s: give robustness.seconds more, or fewer records.',
    });
  });

  it('attack a table with Square alone: its columns are no neighbours', async () => {
    const model = linear(WEIGHTS);
    const withstood = await attackBoth({ candidate: model, golden: model }, { columns, shape: [8] }, BUDGET, still);
    expect(withstood.map((one) => one.attack)).toEqual(['square']);
  });
});
