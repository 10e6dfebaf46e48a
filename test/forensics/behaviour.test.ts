import { describe, expect, it } from '@jest/globals';
import { classesApart, surenessShift } from '../../forensics/behaviour/apart.ts';
import { agreementPerturbed } from '../../forensics/behaviour/perturbed.ts';
import type { Predictor } from '../../forensics/predictor/predictor.ts';
import { createRandom } from '../../forensics/statistics/bootstrap.ts';
import { confidenceSequence } from '../../forensics/statistics/confidence-sequence.ts';

describe('a confidence sequence', () => {
  it('holds at every look at once, in all but its level of the runs', () => {
    const random = createRandom(1);
    let missed = 0;
    for (let run = 0; run < 150; run++) {
      let [successes, ever] = [0, false];
      for (let n = 1; n <= 150; n++) {
        if (random() < 0.7) successes++;
        const { low, high } = confidenceSequence(successes, n, 0.05);
        ever ||= low > 0.7 || high < 0.7;
      }
      if (ever) missed++;
    }
    expect(missed / 150).toBeLessThan(0.05);
  });

  it('knows nothing without observations, and narrows around the rate', () => {
    expect(confidenceSequence(0, 0, 0.05)).toEqual({ low: 0, high: 1 });
    const { low, high } = confidenceSequence(900, 1000, 0.05);
    expect(low).toBeGreaterThan(0.86);
    expect(high).toBeLessThan(0.94);
  });
});

/** One number per record; answers 1 above the bound. */
function judgeOf(bound: number): Predictor {
  const answer: Predictor['probabilities'] = (features, count) =>
    Promise.resolve({
      scores: Float32Array.from({ length: 2 * count }, (_, at) => {
        const one = (features[at >> 1] ?? 0) > bound;
        return one === (at % 2 === 1) ? 0.9 : 0.1;
      }),
      classes: 2,
    });
  return { featureShape: [1], logits: answer, probabilities: answer, close: () => Promise.resolve() };
}

const clean = { features: Float32Array.from({ length: 50 }, (_, row) => (row % 2 === 0 ? 0 : 1)), count: 50 };

describe('agreement on perturbed records', () => {
  it('stops early where two models part beside the data', async () => {
    const found = await agreementPerturbed({ suspect: judgeOf(0.05), golden: judgeOf(0.5) }, clean, [1], 1);
    expect(found).toMatchObject({ stopped: 'apart', n: 128 });
    expect(found?.high).toBeLessThan(1);
  });

  it('asks on where they agree, until the interval is narrow', async () => {
    const found = await agreementPerturbed({ suspect: judgeOf(0.45), golden: judgeOf(0.5) }, clean, [1], 1);
    expect(found).toMatchObject({ stopped: 'narrow', value: 1, high: 1 });
    expect((found?.high ?? 1) - (found?.low ?? 0)).toBeLessThanOrEqual(0.08);
  });

  it('says nothing without records', async () => {
    const none = { features: new Float32Array(), count: 0 };
    expect(await agreementPerturbed({ suspect: judgeOf(0), golden: judgeOf(0) }, none, [1], 1)).toBeNull();
  });
});

describe('where two models part on clean records', () => {
  it('names the class, and not one that parts as the others do', () => {
    const labels = Array.from({ length: 90 }, (_, row) => row % 3);
    const golden = labels;
    const suspect = labels.map((label, row) => (label === 2 && row % 2 === 0 ? 0 : label));
    const [first, second] = classesApart({ suspect, golden }, labels, 3);
    expect(first).toMatchObject({ label: 2, agreement: { value: 0.5, n: 30 } });
    expect(first?.pValue).toBeLessThan(1e-5);
    expect(second?.pValue).toBe(1);
  });

  it('tells who is surer, and nothing of scores that are no numbers', () => {
    const labels = [0, 1, 0, 1];
    const scores = (sure: number) =>
      Float32Array.from(labels.flatMap((label) => (label === 0 ? [sure, 1 - sure] : [1 - sure, sure])));
    const found = surenessShift({ suspect: scores(0.9), golden: scores(0.7), labels });
    expect(found.shift?.value).toBeCloseTo(0.2);
    expect(found.eceSuspect?.value).toBeCloseTo(0.1);
    expect(surenessShift({ suspect: scores(NaN), golden: scores(0.7), labels })).toMatchObject({
      shift: null,
      eceSuspect: null,
    });
  });
});
