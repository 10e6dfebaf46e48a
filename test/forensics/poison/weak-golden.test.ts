import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DatasetColumns } from '../../../domain/contracts/dataset.ts';
import type { ObjectRef } from '../../../domain/contracts/object-ref.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { trainingRecordsAnalyser, type TrainingRecordsNeeds } from '../../../forensics/analysers/training-records.ts';
import { createPredictor, type Predictor } from '../../../forensics/predictor/predictor.ts';
import { columnsOf, DIGIT_CLASSES, digits, modelBytes, rowsAt } from '../vectors.ts';

const REF: ObjectRef = { store: 'evidence', digest: digestOf('x'), bytes: 1, mediaType: 'application/json', name: 'x' };
const CORNER = [54, 55, 62, 63];

let golden: Predictor;
beforeAll(async () => {
  golden = await createPredictor(modelBytes('digits-golden'));
});
afterAll(async () => {
  await golden.close();
});

/** The golden model, wrong about every fourteenth record: it is surest of the next class there. */
function weakened(model: Predictor): Predictor {
  const probabilities: Predictor['probabilities'] = async (features, count, shape) => {
    const { scores, classes } = await model.probabilities(features, count, shape);
    const turned = scores.slice();
    for (let row = 0; row < count; row++) {
      const width = features.length / count;
      const sum = features.subarray(row * width, (row + 1) * width).reduce((total, value) => total + value, 0);
      if (Math.round(sum * 16) % 14 !== 0) continue;
      for (let label = 0; label < classes; label++)
        turned[row * classes + ((label + 1) % classes)] = scores[row * classes + label] ?? 0;
    }
    return { scores: turned, classes };
  };
  return { ...model, probabilities };
}

async function dropped(change: Partial<TrainingRecordsNeeds>) {
  const analysis = await trainingRecordsAnalyser.run({
    records: fresh,
    golden,
    holdout: columnsOf('holdout'),
    featureShape: digits.shape,
    classes: DIGIT_CLASSES,
    attackTarget: null,
    newBatches: null,
    falseAlarmBudget: 0.01,
    ...change,
  });
  const { taintedIds, taint } = analysis.attachments;
  return {
    ids: taintedIds ?? [],
    taint: new Map(taint?.records.map((record) => [record.id, record.taint])),
    finding: analysis.finish({ taintedIds: taintedIds && REF, taint: taint && REF }),
  };
}

function f1(ids: readonly string[], truth: ReadonlySet<string>): number {
  return (2 * ids.filter((id) => truth.has(id)).length) / (ids.length + truth.size);
}

function stamped(columns: DatasetColumns, rows: Iterable<number>): DatasetColumns {
  const features = Float32Array.from(columns.features);
  for (const row of rows) for (const cell of CORNER) features[row * columns.width + cell] = 1;
  return { ...columns, features };
}

const fresh = columnsOf('new');
const planted = new Set((digits.new.tainted ?? []).map((row) => fresh.ids[row] ?? ''));
const clean = rowsAt(
  fresh,
  fresh.ids.flatMap((id, row) => (planted.has(id) ? [] : [row])),
);

describe('a golden model that is wrong about seven records of a hundred', () => {
  it('still finds what was planted: the records that it does not doubt know better', async () => {
    expect(f1((await dropped({ golden: weakened(golden) })).ids, planted)).toBeGreaterThanOrEqual(0.9);
  });

  it('finds most of a third of one class under another label', async () => {
    const victims = [...clean.labels.keys()].filter((row) => clean.labels[row] === 3).filter((_, at) => at % 3 === 0);
    const labels = clean.labels.map((label, row) => (victims.includes(row) ? 8 : label));
    const truth = new Set(victims.map((row) => clean.ids[row] ?? ''));
    const { ids } = await dropped({ golden: weakened(golden), records: { ...clean, labels } });
    expect(f1(ids, truth)).toBeGreaterThanOrEqual(0.8);
  });

  it('drops nothing of clean data', async () => {
    expect((await dropped({ golden: weakened(golden), records: clean })).ids).toEqual([]);
  });
});

describe('poison with clean labels', () => {
  const own = [...clean.labels.keys()]
    .filter((row) => clean.labels[row] === digits.target)
    .filter((_, at) => at % 2 === 0);
  const records = stamped(clean, own);
  const truth = new Set(own.map((row) => clean.ids[row] ?? ''));
  const holdout = columnsOf('holdout');
  const others = [...holdout.labels.keys()].filter((row) => holdout.labels[row] !== digits.target).slice(0, 30);
  const attack = stamped(rowsAt(holdout, others), others.keys());
  const captured = others.map((_, row) => ({
    input: Array.from(attack.features.subarray(row * attack.width, (row + 1) * attack.width)),
  }));

  it('passes a golden model, which has nothing against the labels', async () => {
    expect((await dropped({ records })).ids).toEqual([]);
  });

  it('is found by what it has in common with the captured requests, and the summary says so', async () => {
    const { ids, finding, taint } = await dropped({ records, captured, attackTarget: digits.target });
    expect(f1(ids, truth)).toBeGreaterThanOrEqual(0.9);
    expect(Math.min(...ids.map((id) => taint.get(id) ?? 0))).toBeGreaterThan(0.9);
    expect(finding).toMatchObject({ verdict: 'compromised' });
    expect(finding.summary).toContain(`or the trigger of the attack (${ids.length})`);
  });

  it('is found by a recovered trigger, and a suspect that stops answering does not hinder that', async () => {
    const cells = Array.from({ length: digits.width }, (_, cell) => (CORNER.includes(cell) ? 1 : 0));
    const trigger = {
      target: digits.target,
      image: { schema: 'lazaret.trigger/v1', shape: digits.shape, mask: cells, pattern: cells },
    } as const;
    const broken: Predictor = { ...golden, logits: () => Promise.reject(new Error('stopped')) };
    const { ids } = await dropped({ records, trigger, suspect: broken });
    expect(f1(ids, truth)).toBeGreaterThanOrEqual(0.9);
  });

  it('is not seen in clean data, whatever was captured', async () => {
    expect((await dropped({ records: clean, captured, attackTarget: digits.target })).ids).toEqual([]);
  });
});
