import { describe, expect, it } from '@jest/globals';
import type { CaseFile } from '../../domain/contracts/activities.ts';
import type { Finding, FindingDetail } from '../../domain/contracts/finding.ts';
import { renderHtml } from '../../evidence/report/html.ts';
import { renderMarkdown } from '../../evidence/report/markdown.ts';
import { stickerCase } from './report-fixture.ts';

const hostile = '<img src=x onerror=alert(1)>';
const share = { value: 0.9, low: 0.8, high: 0.95, confidence: 0.95, n: 100, method: 'wilson' } as const;
const found = (detail: FindingDetail, summary: string): Finding => ({
  analyser: detail.analyser,
  question: '?',
  verdict: 'suspicious',
  confidence: null,
  summary,
  detail,
  failure: null,
});
const classes = ['cat', hostile];
const pixel = Buffer.from([0, 255, 0, 255]).toString('base64');

const findings: readonly Finding[] = [
  found(
    {
      analyser: 'activations',
      requests: 300,
      suspects: 60,
      layers: [
        {
          name: hostile,
          units: 64,
          clean: 0.97,
          requests: 0.9,
          pValue: 0.01,
          silent: 5,
          lit: 1,
          parted: { outside: 50, requests: 60, cleanOutside: 4, clean: 225 },
        },
      ],
      parts: { layer: hostile, pValue: 1e-30 },
      dormant: null,
      patterns: {
        outside: 55,
        of: 60,
        clean: { outside: 4, n: 225 },
        classes: [{ answered: 1, requests: 60, outside: 55, nearest: 0, near: 40 }],
      },
      pValues: { patterns: 1e-40, layers: 1, dormant: 1 },
      saliency: {
        preview: { width: 2, height: 2, pattern: pixel, mask: pixel },
        map: stickerCase.captures[0]!.preserved.window,
        requests: 60,
        missed: 0.01,
        top: [{ index: 3, share: 0.8 }],
        width: 2,
      },
      influence: {
        examined: 1000,
        marked: 50,
        threshold: 0.7,
        falseAlarmBudget: 0.01,
        list: null,
        byBatch: [{ batch: hostile, source: 'kiosk', records: 60, marked: 50, pValue: 1e-30, amongOthers: 1e-20 }],
      },
      classes,
      report: stickerCase.captures[0]!.preserved.window,
    },
    'Most requests lie outside their pattern.',
  ),
  found(
    {
      analyser: 'poison',
      examined: 1000,
      of: 1000,
      judgeAccuracy: 0.97,
      list: null,
      count: 50,
      falseAlarmBudget: 0.01,
      cut: 0.5,
      expectedFalse: 0.4,
      groups: [
        {
          kind: 'trigger',
          label: 1,
          members: 150,
          marked: 50,
          success: share,
          misfit: null,
          preview: { width: 2, height: 2, pattern: pixel, mask: pixel },
        },
      ],
      byBatch: [{ batch: hostile, source: 'kiosk', records: 60, marked: 50, amongOthers: 1e-20 }],
      classes,
    },
    'Planted records were found.',
  ),
  found(
    {
      analyser: 'duplicates',
      examined: 1000,
      of: 1000,
      typical: 1.6,
      radius: 0.32,
      pairs: 12,
      exact: 3,
      conflicting: 2,
      list: null,
      byBatch: [
        { batch: 'b7', source: hostile, records: 60, duplicates: 12, conflicting: 2, amongOthers: 1e-9, burst: true },
      ],
      classes,
    },
    'A burst was found.',
  ),
  found(
    {
      analyser: 'requests',
      captured: 400,
      examined: 400,
      count: 90,
      answeredAs: [{ label: 1, count: 90 }],
      methods: [{ method: 'superposition', threshold: 0.2, flagged: 90, clean: { flagged: 1, n: 280 }, pValue: 1e-30 }],
      falseAlarmBudget: 0.01,
      list: null,
      classes,
    },
    'Requests carry a trigger.',
  ),
  found(
    {
      analyser: 'extraction',
      requests: 430,
      clients: 2,
      busiest: [
        { client: hostile, queries: 400, share: 0.93, classes: 2, fidelity: share },
        { client: 'kiosk', queries: 3, share: 0.07, classes: 1, fidelity: null },
      ],
      holdout: 300,
      classes,
    },
    'A copy is possible.',
  ),
];
const file: CaseFile = { ...stickerCase, findings: [...stickerCase.findings, ...findings] };

describe('the findings about records and requests in the post-mortem', () => {
  it.each([
    ['Planted records', 'Planted records were found.', 'Pattern leads there'],
    ['Near duplicates', 'A burst was found.', 'b7'],
    ['Captured requests that carry', 'Requests carry a trigger.', 'Superposition'],
    ['rebuild', 'A copy is possible.', 'too few answers'],
    ['Inside the model', 'Most requests lie outside their pattern.', 'row 2, column 2'],
  ])('%s: title, sentence and figures stand in both renderings', (title, sentence, figure) => {
    for (const text of [renderMarkdown(file), renderHtml(file)])
      for (const words of [title, sentence, figure]) expect(text.replaceAll('\u00a0', ' ')).toContain(words);
  });

  it('are said to be not measured where nobody asked', () => {
    const text = renderMarkdown(stickerCase);
    expect(
      text.match(/Not measured: (nobody looked|the captured requests were not tested|no copy was tried)/g),
    ).toHaveLength(5);
  });

  it('cannot write markup with the names of classes, batches, sources and clients', () => {
    expect(renderHtml(file)).not.toMatch(/<img/i);
    expect(renderMarkdown(file)).not.toMatch(/<img/i);
  });
});
