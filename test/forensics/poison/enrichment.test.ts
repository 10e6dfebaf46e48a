import { describe, expect, it } from '@jest/globals';
import { enrichmentOf } from '../../../forensics/poison/enrichment.ts';
import { createRandom } from '../../../forensics/statistics/bootstrap.ts';

interface Group {
  readonly group: string;
  readonly n: number;
  readonly marked: number;
}

function records(groups: readonly Group[]): [string[], boolean[]] {
  const all = groups.flatMap(({ group, n, marked }) =>
    Array.from({ length: n }, (_, index) => ({ group, marked: index < marked })),
  );
  return [all.map(({ group }) => group), all.map(({ marked }) => marked)];
}

describe('which group of records is enriched', () => {
  it('names the one batch that was poisoned, by both tests', () => {
    const [groups, marks] = records([
      { group: 'a', n: 200, marked: 2 },
      { group: 'b', n: 100, marked: 30 },
      { group: 'c', n: 200, marked: 1 },
    ]);
    const found = enrichmentOf(groups, marks, { marked: 3, n: 300 });
    expect(found.map(({ group, marked, n }) => [group, marked, n])).toEqual([
      ['a', 2, 200],
      ['b', 30, 100],
      ['c', 1, 200],
    ]);
    expect(found.map(({ pValue }) => pValue < 1e-6)).toEqual([false, true, false]);
    expect(found.map(({ amongOthers }) => amongOthers < 1e-6)).toEqual([false, true, false]);
  });

  it('agrees with the tea-tasting lady: 3 of 4 against 1 of 4 is p = 17/70, twice for two groups', () => {
    const [groups, marks] = records([
      { group: 'a', n: 4, marked: 3 },
      { group: 'b', n: 4, marked: 1 },
    ]);
    const [a, b] = enrichmentOf(groups, marks, { marked: 1, n: 4 });
    expect(a?.pValue).toBeCloseTo((2 * 17) / 70, 12);
    expect(a?.amongOthers).toBeCloseTo((2 * 17) / 70, 12);
    expect(b?.amongOthers).toBeCloseTo(69 / 70, 12);
  });

  it('finds a source that sends a little poison with each of many batches, where no single batch stands out', () => {
    const batches = Array.from({ length: 30 }, (_, index) => ({
      source: index % 3 === 0 ? 'partner' : 'scanner',
      group: `batch-${index}`,
      n: 40,
      marked: index % 3 === 0 ? 3 : 0,
    }));
    const [groups, marks] = records(batches);
    const sources = batches.flatMap(({ source, n }) => new Array<string>(n).fill(source));
    const clean = { marked: 3, n: 300 };
    expect(Math.min(...enrichmentOf(groups, marks, clean).map(({ pValue }) => pValue))).toBeGreaterThan(0.01);
    const bySource = enrichmentOf(sources, marks, clean);
    expect(bySource.find(({ group }) => group === 'partner')?.pValue).toBeLessThan(0.01);
    expect(bySource.find(({ group }) => group === 'partner')?.amongOthers).toBeLessThan(1e-6);
    expect(bySource.find(({ group }) => group === 'scanner')?.pValue).toBeGreaterThan(0.5);
  });

  it('accuses no batch where the judge is weak on all of them alike', () => {
    const [groups, marks] = records(['a', 'b', 'c', 'd'].map((group) => ({ group, n: 100, marked: 12 })));
    const found = enrichmentOf(groups, marks, { marked: 3, n: 300 });
    for (const { pValue, amongOthers } of found) {
      expect(pValue).toBeLessThan(1e-3);
      expect(amongOthers).toBeGreaterThan(0.9);
    }
  });

  it('calls at most 1 % of clean data sets enriched at the level of .01', () => {
    const random = createRandom(7);
    let alarms = 0;
    const rounds = 500;
    for (let round = 0; round < rounds; round++) {
      const draw = (n: number) => Array.from({ length: n }, () => random() < 0.02);
      const marks = draw(400);
      const groups = marks.map((_, index) => `batch-${index % 8}`);
      const reference = { marked: draw(300).filter(Boolean).length, n: 300 };
      if (enrichmentOf(groups, marks, reference).some(({ pValue }) => pValue < 0.01)) alarms++;
    }
    expect(alarms / rounds).toBeLessThanOrEqual(0.01);
  });

  it('says 1 of a single group among the others: there are none', () => {
    const [groups, marks] = records([{ group: 'a', n: 10, marked: 5 }]);
    expect(enrichmentOf(groups, marks, { marked: 0, n: 100 })[0]?.amongOthers).toBe(1);
  });
});
