import { describe, expect, it } from '@jest/globals';
import type { DatasetColumns } from '../../../domain/contracts/dataset.ts';
import type { ObjectRef } from '../../../domain/contracts/object-ref.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { duplicatesAnalyser } from '../../../forensics/analysers/duplicates.ts';
import { createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { columnsOf, DIGIT_CLASSES, joined, rowsAt } from '../vectors.ts';

const REF: ObjectRef = { store: 'evidence', digest: digestOf('x'), bytes: 1, mediaType: 'application/json', name: 'x' };
const clean = rowsAt(
  columnsOf('holdout'),
  Array.from({ length: 240 }, (_, row) => row),
);
const batched: DatasetColumns = { ...clean, batches: clean.batches.map((_, row) => `batch-${row % 4}`) };

async function ask(records: DatasetColumns | null) {
  const analysis = await duplicatesAnalyser.run({ records, classes: DIGIT_CLASSES });
  const { pairs } = analysis.attachments;
  const finding = analysis.finish({ pairs: pairs && REF });
  if (finding.detail !== null && finding.detail.analyser !== 'duplicates') throw new Error('another detail');
  return { finding, detail: finding.detail, pairs: pairs ?? [] };
}

/** Copies of chosen records in a batch of their own, each number moved by up to `noise`. */
function copies(rows: readonly number[], noise: number, label: (given: number) => number = (given) => given) {
  const random = createRandom(5);
  const copied = rowsAt(batched, rows);
  return {
    ...copied,
    ids: copied.ids.map((id, at) => `copy-${at}-of-${id}`),
    features: copied.features.map((value) => value + noise * (2 * random() - 1)),
    labels: copied.labels.map(label),
    batches: copied.batches.map(() => 'burst'),
    sources: copied.sources.map(() => 'kiosk'),
  };
}

describe('near duplicates', () => {
  it('are not among different hand-written digits', async () => {
    const { finding, detail } = await ask(batched);
    expect(finding.verdict).toBe('clean');
    expect(detail).toMatchObject({ pairs: 0, list: null, byBatch: [] });
  });

  it('are found where a batch brings one record again and again with a little noise', async () => {
    const { finding, detail, pairs } = await ask(joined(batched, copies(new Array<number>(12).fill(7), 0.02)));
    expect(finding.verdict).toBe('suspicious');
    expect(finding.summary).toMatch(/A burst: 12 of 12 in burst from kiosk/);
    expect(detail?.byBatch.filter(({ burst }) => burst)).toMatchObject([{ batch: 'burst', duplicates: 12 }]);
    expect(new Set(pairs.flatMap(({ first, second }) => [first, second])).size).toBe(13);
  });

  it('are found where records come back under another label', async () => {
    const rows = Array.from({ length: 10 }, (_, at) => at * 3);
    const { finding, detail } = await ask(
      joined(
        batched,
        copies(rows, 0, (given) => (given + 1) % 10),
      ),
    );
    expect(finding.verdict).toBe('suspicious');
    expect(detail).toMatchObject({ pairs: 10, exact: 10, conflicting: 10 });
    expect(detail?.byBatch.filter(({ burst }) => burst)).toMatchObject([{ batch: 'burst', conflicting: 10 }]);
  });

  it('accuse no batch where all of them bring as many', async () => {
    const twice = joined(batched, {
      ...copies(
        Array.from({ length: 240 }, (_, row) => row),
        0.01,
      ),
      batches: batched.batches,
    });
    const { finding, detail } = await ask(twice);
    expect(finding.verdict).toBe('clean');
    expect(detail?.pairs).toBeGreaterThanOrEqual(240);
  });

  it('are told and not judged where there is one batch', async () => {
    const all = joined(batched, copies([1, 2, 3, 4, 5, 6], 0));
    const { finding } = await ask({ ...all, batches: all.batches.map(() => 'only') });
    expect(finding).toMatchObject({ verdict: 'inconclusive', failure: null, detail: { exact: 6 } });
  });

  it('stay an open question without records', async () => {
    expect((await ask(null)).finding).toMatchObject({ verdict: 'inconclusive', detail: null });
  });
});

describe('what the search for duplicates cannot see', () => {
  it('is a copy moved by one pixel: the distance of pixels knows nothing of pictures', async () => {
    const moved = copies(new Array<number>(12).fill(7), 0);
    const side = 8;
    const features = moved.features.map((_, index) => (index % side === 0 ? 0 : (moved.features[index - 1] ?? 0)));
    const rotated = { ...moved, features };
    const { detail } = await ask(joined(batched, rowsAt(rotated, [0])));
    expect(detail?.pairs).toBe(0);
  });
});
