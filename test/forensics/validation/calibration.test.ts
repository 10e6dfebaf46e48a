import { describe, expect, it } from '@jest/globals';
import type { Evaluation } from '../../../domain/contracts/golden.ts';
import { THRESHOLDS } from '../../../domain/incident/thresholds.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { calibrationError } from '../../../forensics/statistics/calibration.ts';
import { wilson } from '../../../forensics/statistics/interval.ts';
import type { Measured } from '../../../forensics/validation/accuracy.ts';
import { calibrationGate } from '../../../forensics/validation/calibration.ts';

/** A model that is right on `right` of 100 records and always as sure as `confidence`. */
function model(confidence: number, right: number): Measured {
  const sureness = {
    confidence: new Float64Array(100).fill(confidence),
    right: Uint8Array.from({ length: 100 }, (_, row) => (row < right ? 1 : 0)),
  };
  const evaluation: Evaluation = {
    dataset: digestOf('holdout'),
    accuracy: wilson(right, 100),
    perClass: [],
    ece: calibrationError(sureness),
    meanConfidence: confidence,
  };
  return { evaluation, predicted: new Int32Array(100), sureness };
}
const judged = (candidate: Measured | null, golden: Measured | null = model(0.95, 95)) =>
  calibrationGate({ candidate, golden, labels: new Int32Array(100), thresholds: THRESHOLDS.high });

describe('the gate of calibration', () => {
  it('lets a model pass that is as sure as it is right, with an interval', () => {
    expect(judged(model(0.95, 95))).toMatchObject({ verdict: 'pass', figure: { method: 'bootstrap', n: 100 } });
  });

  it('stops a model that is sure and often wrong', () => {
    const gate = judged(model(0.99, 70));
    expect(gate.verdict).toBe('fail');
    expect((gate.figure as { value: number }).value).toBeCloseTo(0.29, 6);
  });

  it('stays undecided where the interval reaches below what is allowed', () => {
    expect(judged(model(0.99, 87)).verdict).toBe('inconclusive');
  });

  it('allows what the golden model itself has, and a little more', () => {
    expect(judged(model(0.99, 70), model(0.99, 71)).verdict).toBe('pass');
  });

  it('stays undecided about scores that are not numbers, and about models that could not be run', () => {
    expect(judged(model(NaN, 95)).verdict).toBe('inconclusive');
    expect(judged(null).verdict).toBe('inconclusive');
    expect(judged(model(0.95, 95), null).verdict).toBe('inconclusive');
  });
});
