import { describe, expect, it } from '@jest/globals';
import type { Predictor } from '../../../forensics/predictor/predictor.ts';
import { latenciesOf, latencyFigure } from '../../../forensics/validation/latency.ts';
import { columnsOf, digits } from '../vectors.ts';

const holdout = { columns: columnsOf('holdout'), shape: digits.shape };

/** A model whose answers take so long on a clock of the test's own. */
function slow(ms: number, clock: { now: number }, asked: number[]): Predictor {
  return {
    featureShape: digits.shape,
    logits: async (features, count) => {
      asked.push(features.length);
      clock.now += ms;
      return { scores: new Float32Array(count * 10), classes: 10 };
    },
    probabilities: async () => ({ scores: new Float32Array(), classes: 10 }),
    close: async () => {},
  };
}

describe('the latency of the candidate', () => {
  it('is the ratio of medians of single answers, taken in turn with the golden model', async () => {
    const clock = { now: 0 };
    const asked: number[] = [];
    const models = { candidate: slow(3, clock, asked), golden: slow(2, clock, asked) };
    const figure = latencyFigure(await latenciesOf(models, holdout, () => clock.now));
    expect(new Set(asked)).toEqual(new Set([64]));
    expect(figure).toMatchObject({ id: 'latency', golden: 1, figure: { value: 1.5, low: 1.5, high: 1.5, n: 41 } });
    expect(figure.words).toBe('Median of one answer 3.00 ms, golden model 2.00 ms, here and not on the gateway.');
  });

  it('is not made up where nothing could be asked', () => {
    expect(latencyFigure({ candidate: [], golden: [] }).figure).toBeNull();
    expect(latencyFigure({ candidate: [1, 1], golden: [0, 0] }).figure).toBeNull();
  });
});
