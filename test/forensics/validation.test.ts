import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { evaluationSchema, profileSchema, type RegressionAttack } from '../../domain/contracts/golden.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { evaluate } from '../../forensics/evaluation/evaluation.ts';
import { answersTo, sortedLosses } from '../../forensics/evaluation/loss.ts';
import { profileOf } from '../../forensics/evaluation/profile.ts';
import { THRESHOLDS } from '../../domain/incident/thresholds.ts';
import { graphHash } from '../../forensics/onnx/graph-hash.ts';
import { readModel } from '../../forensics/onnx/reader.ts';
import { nonFinite, weightsOf } from '../../forensics/onnx/weights.ts';
import { surenessOf } from '../../forensics/statistics/calibration.ts';
import { createPredictor, type Predictor } from '../../forensics/predictor/predictor.ts';
import type { Measured } from '../../forensics/validation/accuracy.ts';
import { validate, type ValidationNeeds } from '../../forensics/validation/gates.ts';
import { replayAttack } from '../../forensics/validation/replay.ts';
import { columnsOf, DIGIT_CLASSES, digits, modelBytes } from './vectors.ts';

const DATASET = digestOf('holdout');
const holdout = columnsOf('holdout');
const window = columnsOf('window');
const thresholds = THRESHOLDS.high;

let golden: Predictor;
let suspect: Predictor;
let attack: RegressionAttack;
beforeAll(async () => {
  golden = await createPredictor(modelBytes('digits-golden'));
  suspect = await createPredictor(modelBytes('digits-suspect'));
  const answered = await answersTo(golden, window);
  attack = {
    schema: 'lazaret.regression-attack/v1',
    incident: 'incident-1',
    featureShape: digits.shape,
    requests: (digits.window.attack ?? []).map((row) => ({
      id: String(row),
      input: Array.from(window.features.subarray(row * 64, (row + 1) * 64)),
      attackerClass: digits.target,
      goldenClass: answered.predicted[row] ?? 0,
    })),
  };
});
afterAll(async () => {
  await golden.close();
  await suspect.close();
});

async function measured(model: Predictor): Promise<Measured> {
  const { predicted, probabilities } = await answersTo(model, holdout);
  return {
    predicted,
    sureness: surenessOf(probabilities, holdout.labels),
    evaluation: await evaluate(model, holdout, DIGIT_CLASSES, DATASET),
  };
}

async function needs(candidate: Predictor): Promise<ValidationNeeds> {
  const read = readModel(modelBytes('digits-golden'));
  return {
    candidate: await measured(candidate),
    golden: await measured(golden),
    labels: holdout.labels,
    thresholds,
    graphs: { candidate: graphHash(read), golden: graphHash(read) },
    nonFiniteWeights: nonFinite(weightsOf(read)),
    attack: await replayAttack(attack, candidate, golden),
    classes: DIGIT_CLASSES,
    regressions: [],
    trigger: null,
    requests: { candidate: [], golden: [] },
    fairness: null,
    slices: [],
    robustness: [],
    exposure: null,
    latencies: { candidate: [1, 1], golden: [1, 1] },
    memories: { candidate: null, golden: null },
    controls: { gates: [], figures: [] },
  };
}

describe('the evaluation of a model', () => {
  it('gives accuracy, recall per class, calibration and confidence that fit the contract', async () => {
    const evaluation = await evaluate(golden, holdout, DIGIT_CLASSES, DATASET);
    expect(evaluationSchema.parse(evaluation)).toEqual(evaluation);
    expect(evaluation.accuracy.value).toBeCloseTo(0.98, 10);
    expect(evaluation.perClass.reduce((sum, entry) => sum + entry.recall.n, 0)).toBe(holdout.count);
    expect(evaluation.ece).toBeLessThan(0.05);
  });

  it('gives a profile that fits the contract once its probes are stored', async () => {
    const { profile, probes } = await profileOf(golden, readModel(modelBytes('digits-golden')), holdout, {
      probes: 20,
    });
    const ref = {
      store: 'artifacts' as const,
      digest: DATASET,
      bytes: 1,
      mediaType: 'application/json',
      name: 'probes.json',
    };
    expect(() =>
      profileSchema.parse({ ...profile, probes: { inputs: ref, outputs: ref, count: probes.count } }),
    ).not.toThrow();
    expect(probes.inputs).toHaveLength(20);
    expect(probes.outputs[0]?.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    expect(profile.classMix.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 10);
    const losses = await sortedLosses(golden, holdout);
    expect(profile.loss.quantiles[0]).toBe(losses[0]);
    expect(profile.loss.quantiles.at(-1)).toBe(losses.at(-1));
  });
});

describe('the gates of the validation', () => {
  it('let the golden model pass', async () => {
    const { gates, verdict } = validate(await needs(golden));
    expect(gates.filter((gate) => gate.verdict !== 'pass')).toEqual([]);
    expect(verdict).toBe('pass');
  });

  it('stop the backdoored model by the captured attack alone, for its accuracy is better than the golden one', async () => {
    const { gates, verdict } = validate(await needs(suspect));
    expect(verdict).toBe('fail');
    expect(gates.filter((gate) => gate.verdict === 'fail').map((gate) => gate.id)).toEqual(['captured-attack']);
    expect(gates.find((gate) => gate.id === 'captured-attack')?.figure).toMatchObject({ n: 60, value: 1 });
  });

  it('stop a model that an attack of a past incident still beats', async () => {
    const base = await needs(golden);
    const { gates, verdict } = validate({
      ...base,
      regressions: [{ incident: 'old', attempts: 40, candidate: 20, golden: 0 }],
    });
    expect(verdict).toBe('fail');
    expect(gates.find((gate) => gate.id === 'regression:old')?.verdict).toBe('fail');
  });

  it('do not take one chance mistake in sixty for the attack, and say so', async () => {
    const base = await needs(golden);
    const { gates } = validate({ ...base, attack: { incident: 'x', attempts: 60, candidate: 1, golden: 0 } });
    expect(gates.find((gate) => gate.id === 'captured-attack')).toMatchObject({
      verdict: 'pass',
      reason: expect.stringMatching(/chance alone explains/),
    });
    const five = validate({ ...base, attack: { incident: 'x', attempts: 5, candidate: 1, golden: 0 } });
    expect(five.verdict).toBe('fail');
  });

  it('stop lost accuracy, a lost class, a changed graph and weights that are not numbers', async () => {
    const base = await needs(golden);
    const ofTruth = Int32Array.from(holdout.labels, (label) => (label === 4 ? 9 : label));
    const blind: Measured = {
      predicted: ofTruth,
      sureness: { confidence: new Float64Array(holdout.count).fill(0.9), right: new Uint8Array(holdout.count).fill(1) },
      evaluation: {
        ...(base.golden?.evaluation ?? (await evaluate(golden, holdout, DIGIT_CLASSES, DATASET))),
        perClass: (base.golden?.evaluation.perClass ?? []).map((entry) =>
          entry.class === '4' ? { ...entry, recall: { ...entry.recall, value: 0 } } : entry,
        ),
      },
    };
    const failing = validate({
      ...base,
      candidate: blind,
      graphs: { candidate: digestOf('other'), golden: base.graphs.golden },
      nonFiniteWeights: 2,
    }).gates.filter((gate) => gate.verdict === 'fail');
    expect(failing.map((gate) => gate.id)).toEqual([
      'accuracy',
      'class-recall',
      'agreement',
      'drift-holdout',
      'graph',
      'weights',
    ]);
  });

  it('stay undecided where something could not be measured', async () => {
    const base = await needs(golden);
    for (const missing of [
      { candidate: null },
      { nonFiniteWeights: null },
      { graphs: { candidate: null, golden: null } },
    ]) {
      expect(validate({ ...base, ...missing }).verdict).toBe('inconclusive');
    }
  });
});
