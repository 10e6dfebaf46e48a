import { describe, expect, it } from '@jest/globals';
import type { CaseFile } from '../../domain/contracts/activities.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { Frontier } from '../../domain/proofs/frontier.ts';
import { classFlowsOf } from '../../evidence/report/facts/class-flow.ts';
import { exposureOf } from '../../evidence/report/facts/exposure.ts';
import { share } from '../../evidence/report/facts/share.ts';
import { timelineOf } from '../../evidence/report/facts/timeline.ts';
import { duration, percent, pValue } from '../../evidence/report/figures.ts';
import { renderHtml } from '../../evidence/report/html.ts';
import { renderMarkdown } from '../../evidence/report/markdown.ts';
import { stickerCase } from './report-fixture.ts';

const bare: CaseFile = {
  ...stickerCase,
  captures: [],
  findings: [],
  plan: null,
  sanitized: null,
  training: null,
  validation: null,
  release: null,
  decisions: [],
  verdict: null,
  entries: [],
};

const spaces = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('the post-mortem', () => {
  it('opens with what happened, how long the suspect answered, what was dropped and released, who approved, and the root', () => {
    const summary = spaces(renderMarkdown(stickerCase)).split('## Timeline')[0] ?? '';
    expect(summary).toContain('taken off the road 38 ms after the station had received the alert');
    expect(summary).toContain('96 training records of 1,437 were dropped');
    expect(summary).toContain('`incident-7f3a9c21` answers again on digits, digits-mobile');
    expect(summary).toContain('sven as security-lead (release), oda as model-owner (release)');
    expect(summary).toContain('41.6 % → 0.27 %');
  });

  it('derives the evidence root from the entries, as the workflow does', () => {
    const frontier = new Frontier();
    for (const entry of stickerCase.entries) frontier.append(canonicalJson(entry));
    expect(renderMarkdown(stickerCase)).toContain(frontier.rootHex());
    expect(renderHtml(stickerCase)).toContain(frontier.rootHex());
  });

  it('invents nothing: an empty case says what was not measured and not released', () => {
    const text = renderMarkdown(bare);
    expect(text).toContain('was not measured');
    expect(text).toContain('Nothing was released');
    expect(text).toContain('Nobody has decided anything.');
    for (const rendered of [text, renderHtml(bare)]) expect(rendered).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('has no NaN, undefined or object text in a full case either', () => {
    for (const rendered of [renderMarkdown(stickerCase), renderHtml(stickerCase)])
      expect(rendered).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('shows every gate with its interval and the golden model’s, what it is called elsewhere, and what only is told', () => {
    for (const rendered of [renderMarkdown(stickerCase), renderHtml(stickerCase)].map(spaces)) {
      expect(rendered).toContain('0.913 (95 % CI 0.842 to 0.981, n = 360)');
      expect(rendered).toContain('0.531 (95 % CI 0.498 to 0.564, n = 1,701)');
      expect(rendered).toContain('29 CFR 1607.4 D: four-fifths rule');
      expect(rendered).toContain('they decide nothing');
      expect(rendered).toContain('Latency against the golden model');
    }
    const { figures: _figures, ...older } = stickerCase.validation ?? {};
    const before = { ...stickerCase, validation: older as typeof stickerCase.validation };
    expect(renderMarkdown(before)).not.toContain('they decide nothing');
  });

  it('gives the same bytes for the same case', () => {
    expect(renderHtml(stickerCase)).toBe(renderHtml(structuredClone(stickerCase)));
  });

  it('is one page with nothing to fetch and nothing to run', () => {
    const page = renderHtml(stickerCase);
    expect(page).not.toMatch(/<script|<link|<iframe|<img|<form|\son\w+\s*=|@import|url\((?!#)/i);
    expect(page.match(/\b(?:src|href)="(?!#)[^"]*"/g)).toBeNull();
    expect(page).toContain("default-src 'none'");
  });

  it('describes every picture in words, captions every table, and repeats no id', () => {
    const page = renderHtml(stickerCase);
    const pictures = page.match(/<svg/g)?.length ?? 0;
    expect(pictures).toBeGreaterThan(8);
    expect(page.match(/<desc/g)).toHaveLength(pictures);
    expect(page.match(/<caption/g)).toHaveLength(page.match(/<table/g)?.length ?? 0);
    const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('hostile texts', () => {
  const hostile =
    '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe | ](https://evil.example) `code` @team';
  const attacked: CaseFile = {
    ...stickerCase,
    title: hostile,
    endpoint: 'digits',
    alerts: stickerCase.alerts.map((alert) => ({ ...alert, title: hostile, labels: { [hostile]: hostile } })),
    decisions: stickerCase.decisions.map((one) => ({ ...one, reason: hostile, person: hostile, statement: hostile })),
    findings: stickerCase.findings.map((finding) => {
      const { detail } = finding;
      if (detail?.analyser === 'weights')
        return {
          ...finding,
          summary: hostile,
          detail: { ...detail, tensors: detail.tensors.map((t) => ({ ...t, name: hostile })) },
        };
      if (detail?.analyser === 'behaviour')
        return { ...finding, summary: hostile, detail: { ...detail, classes: detail.classes.map(() => hostile) } };
      if (detail?.analyser === 'training-records')
        return {
          ...finding,
          detail: { ...detail, byBatch: detail.byBatch.map((b) => ({ ...b, batch: hostile, source: hostile })) },
        };
      return { ...finding, summary: hostile, question: hostile };
    }),
    entries: stickerCase.entries.map((entry) => ({ ...entry, summary: hostile, actor: hostile, step: hostile })),
  };

  it('never become elements, attributes or invisible characters of the page', () => {
    const page = renderHtml(attacked);
    expect(page).not.toMatch(/<script|<img|\u202e/i);
    expect(page).toContain('⟨U+202E⟩');
    // Every tag of the page is one that the report itself writes.
    const tags = new Set([...page.matchAll(/<\/?([a-zA-Z][^\s>/]*)/g)].map((match) => match[1]));
    const own = new Set([...renderHtml(stickerCase).matchAll(/<\/?([a-zA-Z][^\s>/]*)/g)].map((match) => match[1]));
    expect([...tags].filter((tag) => !own.has(tag))).toEqual([]);
  });

  it('never become HTML, links, mentions, cells or code of the Markdown', () => {
    const text = renderMarkdown(attacked);
    expect(text).not.toMatch(/<script|<img|\u202e/i);
    expect(text).not.toMatch(/(?<!\\)\]\(|(?<!\\)@team|https:\/\//);
    const widths = text
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.match(/(?<!\\)\|/g)?.length);
    const clean = renderMarkdown(stickerCase)
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .map((line) => line.match(/(?<!\\)\|/g)?.length);
    expect(new Set(widths)).toEqual(new Set(clean));
  });
});

describe('figures', () => {
  it('both bounds of a share lie z standard errors of the bound away from it, which defines the score interval', () => {
    for (const [successes, n] of [
      [94, 240],
      [1, 397],
      [435, 437],
    ] as const) {
      const interval = share(successes, n);
      if (!interval) throw new Error('n is positive');
      for (const bound of [interval.low, interval.high])
        expect(Math.abs(successes / n - bound)).toBeCloseTo(1.959964 * Math.sqrt((bound * (1 - bound)) / n), 6);
    }
    expect(share(0, 0)).toBeNull();
    expect(share(0, 400)?.low).toBe(0);
    expect(share(400, 400)?.high).toBe(1);
  });

  it('durations, shares and p-values carry as many digits as they deserve', () => {
    expect([38, 4_210, 125_000, 12_000_000, 187_200_000].map((ms) => spaces(duration(ms)))).toEqual([
      '38 ms',
      '4.2 s',
      '2 min 05 s',
      '3 h 20 min',
      '2 d 4 h',
    ]);
    expect([0, 0.0065, 0.416, 0.975, 1].map((part) => spaces(percent(part)))).toEqual([
      '0 %',
      '0.65 %',
      '41.6 %',
      '97.50 %',
      '100 %',
    ]);
    expect([1, 0.03124, 4.4e-7, 1e-40].map((p) => spaces(pValue(p)))).toEqual(['1', '0.0312', '4.4·10⁻⁷', '< 10⁻¹⁵']);
  });

  it('the time of exposure runs from the first firing alert to the capture, and says when it cannot be known', () => {
    expect(exposureOf(stickerCase, 'digits')).toEqual({ kind: 'stopped', ms: 38 });
    expect(exposureOf(stickerCase, 'elsewhere')).toEqual({ kind: 'unknown' });
    const [first] = stickerCase.captures;
    if (!first) throw new Error('the fixture has captures');
    const answering = {
      ...first,
      receipt: { ...first.receipt, after: { ...first.receipt.after, stance: first.receipt.before.stance } },
    };
    expect(exposureOf({ ...stickerCase, captures: [answering] }, 'digits')).toEqual({ kind: 'left-answering' });
    const early = { ...first, receipt: { ...first.receipt, capturedAt: '2026-11-21T05:54:07.000Z' } };
    expect(exposureOf({ ...stickerCase, captures: [early] }, 'digits')).toEqual({ kind: 'clocks', ms: 41 });
  });

  it('the time of people and of the station add up to the whole', () => {
    const times = timelineOf(stickerCase);
    expect(times.workMs + times.peopleMs).toBe(times.totalMs);
    expect(times.stances.map((stance) => stance.stance)).toEqual(['serving', 'shadow', 'canary', 'serving']);
  });

  it('a model of a thousand classes keeps the counts and the target, in at most twelve rows', () => {
    const many = Array.from({ length: 1000 }, (_, i) =>
      Array.from({ length: 1000 }, (_, j) => (i === j ? 2 : j === 700 && i < 30 ? 1 : 0)),
    );
    const findings = stickerCase.findings.map((finding) =>
      finding.detail?.analyser === 'behaviour'
        ? {
            ...finding,
            detail: {
              ...finding.detail,
              flow: many,
              classes: many.map((_, i) => `c${i}`),
              attack: finding.detail.attack && { ...finding.detail.attack, targetClass: 700 },
            },
          }
        : finding,
    );
    const flows = classFlowsOf({ ...stickerCase, findings, validation: null });
    expect(flows?.classes).toHaveLength(12);
    expect(flows?.classes).toContain('c700');
    expect(flows?.before.flat().reduce((sum, cell) => sum + cell, 0)).toBe(2030);
    expect(flows?.divertedBefore?.value).toBeCloseTo(30 / 2028, 6);
  });
});
