import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DatasetColumns } from '../../../domain/contracts/dataset.ts';
import type { ObjectRef } from '../../../domain/contracts/object-ref.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { poisonAnalyser } from '../../../forensics/analysers/poison.ts';
import { createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { createPredictor, type Predictor } from '../../../forensics/predictor/predictor.ts';
import { columnsOf, DIGIT_CLASSES, digits, joined, modelBytes, rowsAt } from '../vectors.ts';

const REF: ObjectRef = { store: 'evidence', digest: digestOf('x'), bytes: 1, mediaType: 'application/json', name: 'x' };

let golden: Predictor;
let suspect: Predictor;
let examined: Awaited<ReturnType<typeof ask>>;
beforeAll(async () => {
  golden = await createPredictor(modelBytes('digits-golden'));
  suspect = await createPredictor(modelBytes('digits-suspect'));
  examined = await ask(poisoned, suspect);
});
afterAll(async () => {
  await golden.close();
  await suspect.close();
});

const fresh = columnsOf('new');
const poisoned = joined(columnsOf('golden'), fresh);
const planted = new Set((digits.new.tainted ?? []).map((row) => fresh.ids[row] ?? ''));
const clean = rowsAt(
  poisoned,
  poisoned.ids.flatMap((id, row) => (planted.has(id) ? [] : [row])),
);

async function ask(records: DatasetColumns | null, model: Predictor | null) {
  const analysis = await poisonAnalyser.run({
    records,
    suspect: model,
    featureShape: digits.shape,
    classes: DIGIT_CLASSES,
    falseAlarmBudget: 0.01,
  });
  const { marked } = analysis.attachments;
  const finding = analysis.finish({ marked: marked && REF });
  if (finding.detail !== null && finding.detail.analyser !== 'poison') throw new Error('another detail');
  return { finding, detail: finding.detail, marked: marked ?? [] };
}

describe('planted training records, without a golden model', () => {
  it('are found with F1 of at least .9, with class, pattern and batch, and nothing is dropped', () => {
    const { finding, detail, marked } = examined;
    const hits = marked.filter(({ id }) => planted.has(id)).length;
    expect((2 * hits) / (marked.length + planted.size)).toBeGreaterThanOrEqual(0.9);
    expect(finding.verdict).toBe('suspicious');
    expect(detail).toMatchObject({
      list: REF,
      count: marked.length,
      groups: [{ kind: 'trigger', label: digits.target, preview: { width: 8, height: 8 } }],
    });
    expect(detail?.groups[0]?.success?.low).toBeGreaterThan(0.5);
    expect(detail?.byBatch.find(({ batch }) => batch === '2026-02-b')?.amongOthers).toBeLessThan(1e-20);
    expect(detail?.expectedFalse).toBeLessThanOrEqual(0.01 * poisoned.count);
  });

  it('have taints that fall with rank and reach the cut', () => {
    const { detail, marked } = examined;
    const taints = marked.map(({ taint }) => taint);
    expect(taints).toEqual(taints.toSorted((a, b) => b - a));
    expect(taints.at(-1)).toBe(detail?.cut);
  });

  it('are not seen where there are none', async () => {
    const { finding, marked } = await ask(clean, golden);
    expect(finding).toMatchObject({ verdict: 'clean', detail: { count: 0, list: null, groups: [] } });
    expect(marked).toEqual([]);
  });

  it('are found by label alone when a fifth of one class is called another', async () => {
    const victims = new Set(
      [...clean.labels.keys()].filter((row) => clean.labels[row] === 3).filter((_, index) => index % 5 === 0),
    );
    const flipped = { ...clean, labels: clean.labels.map((label, row) => (victims.has(row) ? 8 : label)) };
    const { detail, marked } = await ask(flipped, golden);
    expect(detail?.groups).toMatchObject([{ kind: 'relabelled', label: 8 }]);
    const hits = marked.filter(({ id }) => victims.has(flipped.ids.indexOf(id))).length;
    expect((2 * hits) / (marked.length + victims.size)).toBeGreaterThanOrEqual(0.8);
  });

  it('give the same finding twice', async () => {
    expect((await ask(poisoned, suspect)).finding).toEqual(examined.finding);
  });

  it('stay an open question without records, without a model, or with too few records', async () => {
    const few = rowsAt(poisoned, [0, 1, 2, 3]);
    for (const [records, model] of [
      [null, suspect],
      [poisoned, null],
      [few, suspect],
    ] as const)
      expect((await ask(records, model)).finding).toMatchObject({ verdict: 'inconclusive', detail: null });
  });
});

describe('data that its own records do not explain', () => {
  it('is told about and is no alarm: labels drawn at random belong to no record', async () => {
    const random = createRandom(4);
    const some = rowsAt(
      clean,
      Array.from({ length: 300 }, (_, row) => row),
    );
    const labels = some.labels.map(() => Math.floor(10 * random()));
    const { finding, detail } = await ask({ ...some, labels }, golden);
    expect(finding).toMatchObject({ verdict: 'inconclusive', failure: null });
    expect(finding.summary).toMatch(/^For information/);
    expect(detail?.judgeAccuracy).toBeLessThan(0.3);
  });
});

describe('what the search for planted records cannot see', () => {
  it('is clean-label poison: a trigger on records of the target itself moves no label', async () => {
    const width = clean.width;
    const features = Float32Array.from(clean.features);
    const victims = [...clean.labels.keys()].filter((row) => clean.labels[row] === digits.target).slice(0, 40);
    for (const row of victims) for (const cell of [54, 55, 62, 63]) features[row * width + cell] = 1;
    expect((await ask({ ...clean, features }, golden)).finding.verdict).toBe('clean');
  });

  it('is a handful of records: four with a trigger are fewer than a group', async () => {
    const four = new Set([...planted].slice(0, 4));
    const almost = rowsAt(
      poisoned,
      poisoned.ids.flatMap((id, row) => (planted.has(id) && !four.has(id) ? [] : [row])),
    );
    const { marked } = await ask(almost, golden);
    expect(marked.filter(({ id }) => four.has(id)).length).toBeLessThan(4);
  });
});
