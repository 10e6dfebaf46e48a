import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createPredictor, normalise, type Predictor } from '../../forensics/predictor/predictor.ts';
import { modelBytes } from './vectors.ts';

const open: Predictor[] = [];
async function predictor(name: string): Promise<Predictor> {
  const made = await createPredictor(modelBytes(name));
  open.push(made);
  return made;
}
afterAll(() => Promise.all(open.map((made) => made.close())));

describe('a predictor', () => {
  it('answers with the scores of the model', async () => {
    const model = await predictor('raw');
    const { scores, classes } = await model.logits(Float32Array.of(1, 2, 0, 0), 2);
    expect(classes).toBe(3);
    expect(Array.from(scores)).toEqual([-0.5, 4.25, -2.5, 0.5, -0.25, 0]);
  });

  it('gives probabilities whether or not the model ends in a softmax', async () => {
    const input = Float32Array.of(0.3, -0.7);
    const own = await (await predictor('softmax')).probabilities(input, 1);
    const ours = await (await predictor('raw')).probabilities(input, 1);
    own.scores.forEach((value, index) => expect(ours.scores[index]).toBeCloseTo(value, 6));
  });

  it('fills up the last batch of a model whose batch is fixed', async () => {
    const rows = Float32Array.from({ length: 18 }, (_, index) => index / 7);
    const fixed = await (await predictor('fixed-batch')).logits(rows, 9);
    const free = await (await predictor('raw')).logits(rows, 9);
    expect(Array.from(fixed.scores)).toEqual(Array.from(free.scores));
  });

  it('answers more records than one batch holds, and concurrent callers, in order', async () => {
    const model = await predictor('raw');
    const rows = Float32Array.from({ length: 2 * 1300 }, (_, index) => index);
    const [all, one] = await Promise.all([model.logits(rows, 1300), model.logits(rows.subarray(2598), 1)]);
    expect(all.scores.length).toBe(3900);
    expect(Array.from(all.scores.subarray(3897))).toEqual(Array.from(one.scores));
  });

  it('leaves the event loop free while the model runs', async () => {
    const model = await predictor('digits-golden');
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await model.logits(new Float32Array(64 * 5000), 5000);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });

  it('refuses a model with two inputs, external data, or bytes that are no model', async () => {
    await expect(createPredictor(modelBytes('two-inputs'))).rejects.toMatchObject({ code: 'model/invalid' });
    await expect(createPredictor(modelBytes('external'))).rejects.toMatchObject({ code: 'model/invalid' });
    await expect(createPredictor(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({ code: 'model/invalid' });
  });

  it('refuses features that do not make whole records, and answers nothing once closed', async () => {
    const model = await createPredictor(modelBytes('raw'));
    await expect(model.logits(new Float32Array(5), 2)).rejects.toMatchObject({ code: 'dataset/invalid' });
    await model.close();
    await expect(model.logits(new Float32Array(4), 2)).rejects.toMatchObject({ code: 'analysis/crashed' });
  });

  it('can be closed in the middle of a run, which neither ends the process nor is waited for', async () => {
    const slow = readFileSync(new URL('../vectors/onnx/slow.onnx', import.meta.url));
    const model = await createPredictor(new Uint8Array(slow));
    const asked = model.logits(new Float32Array(64).fill(0.5), 1).catch((error: unknown) => error);
    // Long enough to be in the engine, and shorter than a run of this model.
    await new Promise((resolve) => setTimeout(resolve, 50));
    await model.close();
    expect(await asked).toMatchObject({ code: 'analysis/crashed' });
    // A thread that is terminated in the engine aborts the process once the run is over.
    const other = await createPredictor(new Uint8Array(slow));
    expect((await other.logits(new Float32Array(64).fill(0.5), 1)).classes).toBe(10);
    await other.close();
  });

  it('gives a model up that does not answer in time', async () => {
    await expect(createPredictor(modelBytes('raw'), { batchTimeoutMs: 1 })).rejects.toMatchObject({
      code: 'analysis/timeout',
    });
  });

  it('keeps scores far from zero finite in the softmax', () => {
    const { scores } = normalise({ scores: Float32Array.of(1000, 0, -1000), classes: 3 });
    expect(Array.from(scores)).toEqual([1, 0, 0]);
  });
});
