import { describe, expect, it } from '@jest/globals';
import type { ExplainResult, Influences, SaliencyMap } from '../../domain/contracts/activations.ts';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { ActivationsDetail, Finding } from '../../domain/contracts/finding.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { pullOf } from '../../forensics/activations/pull.ts';
import { saliencyOf } from '../../forensics/activations/saliency-preview.ts';
import { activationsAnalyser, type ActivationsNeeds } from '../../forensics/analysers/activations.ts';

const ref = (name: string): ObjectRef => ({
  store: 'evidence',
  digest: digestOf(name),
  bytes: 1,
  mediaType: 'application/json',
  name,
});
const NOW = '2026-01-01T00:00:00.000Z';
const unit = (about: Partial<NonNullable<ExplainResult['dormant']>['suspect']> = {}) => ({
  layer: 'hidden',
  unit: 7,
  silent: 5,
  lit: 0,
  pValue: 1,
  ...about,
});

function told(about: Partial<ExplainResult> = {}): ExplainResult {
  return {
    schema: 'lazaret.explain-result/v1',
    jobId: 'digits-1-activations',
    requests: 300,
    suspects: 60,
    layers: [
      {
        name: 'hidden',
        units: 64,
        clean: 0.97,
        requests: 0.9,
        pValue: 0.01,
        silent: 5,
        lit: 0,
        parted: { outside: 1, requests: 60, cleanOutside: 4, clean: 225 },
      },
    ],
    dormant: { suspect: unit(), golden: unit() },
    patterns: {
      outside: 2,
      of: 60,
      clean: { outside: 4, n: 225 },
      classes: [{ answered: 2, requests: 60, outside: 2, nearest: 7, near: 9 }],
    },
    saliency: null,
    influence: null,
    report: ref('explanation.json'),
    startedAt: NOW,
    finishedAt: NOW,
    ...about,
  };
}

/** Three batches of forty records; `hot` of the last pull hard. */
function pulling(hot: number): { influences: Influences; records: DatasetColumns } {
  const count = 120;
  const ids = Array.from({ length: count }, (_, row) => `record-${row}`);
  return {
    records: {
      count,
      width: 1,
      ids,
      features: new Float32Array(count),
      labels: new Int32Array(count),
      sources: ids.map((_, row) => (row < 80 ? 'office' : 'kiosk')),
      batches: ids.map((_, row) => `batch-${Math.floor(row / 40)}`),
    },
    influences: {
      schema: 'lazaret.influences/v1',
      ids,
      scores: ids.map((_, row) => (row >= 80 && row < 80 + hot ? 1.5 + row / 1000 : 0.1)),
      clean: Array.from({ length: 200 }, (_, row) => row / 1000),
    },
  };
}

async function ask(about: Partial<ActivationsNeeds> = {}): Promise<Finding> {
  const run = await activationsAnalyser.run({
    explained: { result: told(), saliency: null, influences: null },
    reason: '',
    records: null,
    classes: ['zero', 'one', 'two'],
    falseAlarmBudget: 0.01,
    ...about,
  });
  return run.finish({ pulling: run.attachments.pulling && ref('pulling-records.json') });
}
const explained = (result: Partial<ExplainResult>, influences: Influences | null = null) => ({
  explained: { result: told(result), saliency: null, influences },
});
const detailOf = (finding: Finding): ActivationsDetail => {
  if (finding.detail?.analyser !== 'activations') throw new Error('no detail');
  return finding.detail;
};

describe('the look inside the model', () => {
  it('is inconclusive where no trainer answered, with the reason', async () => {
    expect(await ask({ explained: null, reason: 'No trainer answered: not registered.' })).toMatchObject({
      verdict: 'inconclusive',
      summary: 'No trainer answered: not registered.',
      detail: null,
    });
  });

  it('is clean where the requests lie in their patterns as clean records do', async () => {
    const finding = await ask();
    expect(finding).toMatchObject({ verdict: 'clean', confidence: null });
    expect(finding.summary).toContain('2 of 60 lie outside the pattern');
    expect(finding.summary).toContain('They light no unit');
    expect(finding.summary).toContain('The training records are not known');
  });

  it('is suspicious, and never more, where most of them lie outside', async () => {
    const patterns = { ...told().patterns!, outside: 55 };
    const finding = await ask(explained({ patterns }));
    expect(finding.verdict).toBe('suspicious');
    expect(detailOf(finding).pValues?.patterns).toBeLessThan(1e-20);
  });

  it('is suspicious where they light a unit that clean records leave silent, and the golden model has none like it', async () => {
    const dormant = { suspect: unit({ lit: 1, pValue: 1e-30 }), golden: unit() };
    const finding = await ask(explained({ dormant }));
    expect(finding.verdict).toBe('suspicious');
    expect(finding.summary).toContain('They light 1 of 5 units that clean records leave silent, the loudest in hidden');
    const both = { suspect: unit({ lit: 1, pValue: 1e-30 }), golden: unit({ lit: 1, pValue: 1e-9 }) };
    expect(await ask(explained({ dormant: both }))).toMatchObject({ verdict: 'clean' });
  });

  it('says so where the two models differ on too few requests to look into', async () => {
    const finding = await ask(explained({ suspects: 2, dormant: null, patterns: null }));
    expect(finding.verdict).toBe('clean');
    expect(finding.summary).toContain('too few to look into');
    expect(finding.summary).toContain('0.97 (linear CKA)');
  });

  it('names the first layer that makes of the requests what the golden model’s does not foretell', async () => {
    const parted = (outside: number) => ({ outside, requests: 60, cleanOutside: 4, clean: 225 });
    const layer = told().layers[0]!;
    const layers = [
      { ...layer, name: 'first', parted: parted(2) },
      { ...layer, name: 'second', parted: parted(50) },
      { ...layer, name: 'third', parted: parted(60) },
    ];
    const finding = await ask(explained({ layers }));
    expect(finding).toMatchObject({ verdict: 'suspicious', detail: { parts: { layer: 'second' } } });
    expect(finding.summary).toContain('The two part in second (p = ');
    expect(detailOf(await ask()).parts).toBeNull();
  });

  it('names the batch whose records pull towards the answers, and its source', async () => {
    const { influences, records } = pulling(25);
    const finding = await ask({ ...explained({}, influences), records });
    expect(finding.summary).toContain('25 of 40 in batch-2 from kiosk');
    const { influence } = detailOf(finding);
    expect(influence).toMatchObject({ examined: 120, marked: 25, list: { name: 'pulling-records.json' } });
    expect(influence?.byBatch).toMatchObject([{ batch: 'batch-2', source: 'kiosk', records: 40, marked: 25 }]);
  });

  it('names none where no more records pull than chance gives', async () => {
    const { influences, records } = pulling(1);
    expect((await ask({ ...explained({}, influences), records })).summary).toContain(
      '1 of 120 training records pull there (at most 1.0 % of clean ones would): in no batch more than in others',
    );
  });
});

describe('the pull of training records', () => {
  it('lists the marked ones, the strongest first', () => {
    const { influences, records } = pulling(3);
    expect(pullOf(influences, records, 0.01)?.list.map(({ id }) => id)).toEqual([
      'record-82',
      'record-81',
      'record-80',
    ]);
  });

  it('is unknown where clean records are too few for the budget, or the ids are of other records', () => {
    const { influences, records } = pulling(3);
    expect(pullOf({ ...influences, clean: [0.1, 0.2] }, records, 0.01)).toBeNull();
    expect(pullOf({ ...influences, ids: influences.ids.map((id) => `${id}x`) }, records, 0.01)).toBeNull();
    expect(pullOf(influences, null, 0.01)).toBeNull();
  });
});

describe('the preview of a saliency map', () => {
  const map: SaliencyMap = {
    schema: 'lazaret.saliency/v1',
    shape: [2, 2, 2],
    values: [0, 0.1, 0, 0.4, 0, 0, 0, 0.5],
    mean: [0, 0, 0, 1, 0, 0, 0, 1],
    requests: 12,
    missed: 0.01,
  };

  it('sums the channels, and names the loudest cells by their place', () => {
    const { preview, top, width } = saliencyOf(map);
    expect(width).toBe(2);
    expect(top).toEqual([
      { index: 3, share: 0.9 },
      { index: 1, share: 0.1 },
    ]);
    expect([...Buffer.from(preview?.mask ?? '', 'base64')]).toEqual([0, 28, 0, 255]);
    expect([...Buffer.from(preview?.pattern ?? '', 'base64')]).toEqual([0, 0, 0, 255]);
  });

  it('draws nothing where nothing speaks, or the numbers are not of the shape they claim', () => {
    expect(saliencyOf({ ...map, values: map.values.map(() => 0) })).toMatchObject({ preview: null, top: [] });
    expect(saliencyOf({ ...map, values: [1] })).toMatchObject({ preview: null, top: [] });
    expect(saliencyOf({ ...map, mean: [] }).preview).toBeNull();
  });
});
