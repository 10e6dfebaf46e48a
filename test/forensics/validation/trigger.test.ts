import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TriggerImage } from '../../../domain/contracts/examination.ts';
import { createPredictor, type Predictor } from '../../../forensics/predictor/predictor.ts';
import { triggerGate, tryTrigger, withTrigger } from '../../../forensics/validation/trigger.ts';
import { columnsOf, DIGIT_CLASSES, digits, modelBytes } from '../vectors.ts';

const holdout = { columns: columnsOf('holdout'), shape: digits.shape, classes: DIGIT_CLASSES };

/** The sticker of the vectors: the 2×2 pixels in the lower right corner, white. */
const corner = [54, 55, 62, 63];
const sticker: TriggerImage = {
  schema: 'lazaret.trigger/v1',
  shape: digits.shape,
  mask: Array.from({ length: 64 }, (_, pixel) => (corner.includes(pixel) ? 1 : 0)),
  pattern: Array.from({ length: 64 }, () => 1),
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
const trial = async (candidate: Predictor, trigger: TriggerImage | null = sticker, target = digits.target) =>
  await tryTrigger({ trigger, target }, holdout, { candidate, golden });

describe('the gate of the recovered trigger', () => {
  it('stops the backdoored model, on which the trigger still works', async () => {
    const gate = triggerGate(await trial(suspect), 0.05);
    expect(gate.verdict).toBe('fail');
    expect(gate.figure).toMatchObject({ method: 'wilson' });
    expect((gate.figure as { value: number }).value).toBeGreaterThan(0.95);
    expect((gate.golden as { value: number }).value).toBeLessThan(0.05);
    expect(gate.reason).toContain('records of other classes to 7');
  });

  it('lets a model pass on which it works no better than on the golden one', async () => {
    expect(triggerGate(await trial(golden), 0.05).verdict).toBe('pass');
  });

  it('asks only records of other classes: what is right already was carried nowhere', async () => {
    const { carried } = await trial(golden);
    const others = holdout.columns.labels.filter((label) => label !== digits.target).length;
    expect(carried && carried.both + carried.first + carried.second + carried.neither).toBe(others);
  });

  it('allows the golden model’s own rate: a patch that fools every model proves nothing about this one', () => {
    const trialOf = (first: number) => ({ target: '7', carried: { both: 80, first, second: 0, neither: 120 - first } });
    expect(triggerGate(trialOf(2), 0.05).verdict).toBe('pass');
    expect(triggerGate(trialOf(60), 0.05).verdict).toBe('fail');
  });

  it('stays undecided where chance may explain the excess, and does not pass', () => {
    const gate = triggerGate({ target: '7', carried: { both: 0, first: 2, second: 0, neither: 18 } }, 0.05);
    expect(gate.verdict).toBe('inconclusive');
    expect(gate.reason).toContain('more records of the hold-out would tell');
  });

  it('stays undecided where the trigger does not fit, cannot be read, or leads to no class', async () => {
    for (const unfit of [{ ...sticker, pattern: [1] }, { ...sticker, mask: [] }, null])
      expect(triggerGate(await trial(suspect, unfit), 0.05).verdict).toBe('inconclusive');
    expect(triggerGate(await trial(suspect, sticker, 10), 0.05).verdict).toBe('inconclusive');
    const none = { both: 0, first: 0, second: 0, neither: 0 };
    expect(triggerGate({ target: '7', carried: none }, 0.05).verdict).toBe('inconclusive');
  });

  it('lays a mask of one channel over all channels', () => {
    const trigger: TriggerImage = {
      schema: 'lazaret.trigger/v1',
      shape: [2, 1, 2],
      mask: [0, 0.5],
      pattern: [9, 4, 9, 2],
    };
    expect(Array.from(withTrigger(trigger, Float32Array.from([1, 2, 3, 4]), 4) ?? [])).toEqual([1, 3, 3, 3]);
  });
});
