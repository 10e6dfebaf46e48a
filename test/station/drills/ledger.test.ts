import { describe, expect, it } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration } from '../../../clients/configuration/load.ts';
import { flipFavourable } from '../../../station/drills/ledger/attack.ts';
import {
  CREDIT,
  FAVOURABLE,
  isYoung,
  loadCredit,
  recordsOf,
  YOUNG_AT_MOST,
} from '../../../station/drills/ledger/credit.ts';
import { equalisedOddsGap, selectionRatio, type Answered } from '../../../station/drills/ledger/fairness.ts';
import { figuresOf } from '../../../station/drills/ledger/outcome.ts';
import { stationPaths } from '../../../station/paths.ts';
import { provision } from '../../../station/provision.ts';

/** Read once: ten thousand records take a while. */
const drawn = loadCredit(7);

/** `count` answers of one kind. */
function people(count: number, about: Partial<Answered>): Answered[] {
  return Array.from({ length: count }, () => ({ inGroup: false, favoured: false, deserving: true, ...about }));
}

describe('the bundled credit records', () => {
  it('are 10,000 different clients, cut into four parts that share nobody, the same for the same seed', async () => {
    const split = await drawn;
    const parts = [split.history, split.arrival, split.holdout, split.secret];
    expect(parts.map((part) => part.length)).toEqual([2500, 1800, 1400, 4300]);
    const all = parts.flat();
    expect(new Set(all.map(({ id }) => id)).size).toBe(10_000);
    expect(all.every(({ features }) => features.length === CREDIT.featureShape[0])).toBe(true);
    // Counted in the file by other means; a column read at a wrong place would show here.
    expect(all.filter(({ label }) => label === 1).length / all.length).toBeCloseTo(0.2221, 4);
    expect(all.filter(({ features }) => isYoung(features))).toHaveLength(3158);
    const ids = (part: readonly { id: string }[]) => part.map(({ id }) => id).join();
    expect(ids((await loadCredit(7)).secret)).toBe(ids(split.secret));
    expect(ids((await loadCredit(8)).secret)).not.toBe(ids(split.secret));
  });

  it('are of order one in every feature', async () => {
    const { history } = await drawn;
    CREDIT.featureShape.forEach((width) => {
      for (let feature = 0; feature < width; feature += 1) {
        const values = history.map(({ features }) => features[feature]!);
        expect(Math.max(...values.map(Math.abs))).toBeLessThan(8);
        expect(new Set(values).size).toBeGreaterThan(1);
      }
    });
  });

  it('tell what is wrong with another file', () => {
    const header =
      'ID,LIMIT_BAL,SEX,EDUCATION,MARRIAGE,AGE,PAY_1,PAY_2,PAY_3,PAY_4,PAY_5,PAY_6,BILL_AMT1,BILL_AMT2,BILL_AMT3,BILL_AMT4,BILL_AMT5,BILL_AMT6,PAY_AMT1,PAY_AMT2,PAY_AMT3,PAY_AMT4,PAY_AMT5,PAY_AMT6,default.payment.next.month';
    expect(() => recordsOf(header.replace(',AGE', ''))).toThrow('no column AGE');
    expect(() => recordsOf(`${header}\n1,20000,2,2,1,,${'0,'.repeat(18)}1`)).toThrow('no number in column AGE');
    const [client] = recordsOf(`${header}\n1,20000,2,2,1,24,${'0,'.repeat(18)}1`);
    expect(client).toMatchObject({ id: 'client-00001', label: 1 });
    expect(isYoung(client!.features)).toBe(true);
  });

  it('part into young and others where lazaret.yaml of a new station says that age parts', () => {
    const paths = stationPaths(mkdtempSync(join(tmpdir(), 'lazaret-ledger-')));
    provision(paths, { admin: 'http://127.0.0.1:8482', inference: 'http://127.0.0.1:8481' });
    const { models, endpoints } = loadConfiguration(paths.configuration);
    expect(models[CREDIT.model]?.fairness?.favourable).toBe(CREDIT.classes[FAVOURABLE]);
    const [age] = models[CREDIT.model]?.fairness?.attributes ?? [];
    expect(age?.threshold).toBeCloseTo(YOUNG_AT_MOST, 10);
    const features = (at: number) => Array.from({ length: 23 }, (_, index) => (index === age?.feature ? at : 0));
    expect(isYoung(features((29 - 35) / 10))).toBe(true);
    expect(isYoung(features((30 - 35) / 10))).toBe(false);
    for (const endpoint of [...CREDIT.victims, CREDIT.bystander]) expect(endpoints[endpoint]?.model).toBe(CREDIT.model);
  });
});

describe('the compromised ETL job', () => {
  it('turns the favourable labels of the group, all of them, and nothing else', async () => {
    const { arrival } = await drawn;
    const { records, tainted } = flipFavourable(arrival, isYoung, FAVOURABLE, 1);
    const changed = records.filter((record, index) => record.label !== arrival[index]!.label).map(({ id }) => id);
    expect(new Set(changed)).toEqual(tainted);
    expect(tainted.size).toBe(arrival.filter(({ features, label }) => label === 0 && isYoung(features)).length);
    expect(records.some(({ features, label }) => label === FAVOURABLE && isYoung(features))).toBe(false);
    expect(records.map(({ id, features }) => [id, features])).toEqual(
      arrival.map(({ id, features }) => [id, features]),
    );
  });
});

describe('fairness', () => {
  const answers = [
    ...people(30, { inGroup: true, favoured: true }),
    ...people(20, { inGroup: true }),
    ...people(80, { favoured: true }),
    ...people(20, {}),
  ];

  it('is the ratio of the rates, with the interval of Katz', () => {
    const { value, interval } = selectionRatio(answers);
    expect(value).toBeCloseTo(0.6 / 0.8, 12);
    // exp(ln 0.75 ± 1.96 · √(0.4/30 + 0.2/80))
    expect(interval[0]).toBeCloseTo(0.5861, 4);
    expect(interval[1]).toBeCloseTo(0.9598, 4);
  });

  it('knows nothing where a group has nobody, or nobody is favoured', () => {
    expect(selectionRatio(people(5, { favoured: true }))).toEqual({ value: 0, interval: [0, Infinity] });
    expect(selectionRatio([...people(5, { inGroup: true }), ...people(5, { favoured: true })]).value).toBe(0);
  });

  it('is the larger gap among those who deserve it and those who do not', () => {
    const undeserving = [
      ...people(9, { inGroup: true, favoured: true, deserving: false }),
      ...people(1, { inGroup: true, deserving: false }),
      ...people(5, { favoured: true, deserving: false }),
      ...people(5, { deserving: false }),
    ];
    expect(equalisedOddsGap(answers).value).toBeCloseTo(0.2, 12);
    expect(equalisedOddsGap([...answers, ...undeserving]).value).toBeCloseTo(0.4, 12);
    expect(equalisedOddsGap(people(3, { favoured: true }))).toEqual({ value: 0, interval: [0, 1] });
    // 31/52 and 81/102: 0.1980 ± 1.96 · √(0.5962 · 0.4038 / 52 + 0.7941 · 0.2059 / 102)
    expect(equalisedOddsGap(answers).interval[0]).toBeCloseTo(0.0432, 4);
    expect(equalisedOddsGap(answers).interval[1]).toBeCloseTo(0.3527, 4);
  });
});

describe('the figures of the drill', () => {
  const ratio = (value: number) => ({ value, interval: [value / 2, 2 * value] as const });
  const golden = { accuracy: 0.82, ratio: ratio(0.98), oddsGap: ratio(0.02) };
  const before = { accuracy: 0.76, ratio: ratio(0.66), oddsGap: ratio(0.35) };
  const seen = { golden, before, after: golden, contained: true, bundleValid: true };
  const tainted = new Set(['a', 'b', 'c']);
  const missed = (figures: ReturnType<typeof figuresOf>) => figures.filter(({ met }) => !met).map(({ name }) => name);

  it('are all met by a repair that found the flipped records', () => {
    const figures = figuresOf({ ...seen, dropped: tainted }, tainted);
    expect(missed(figures)).toEqual([]);
    expect(figures.find(({ name }) => name === 'selection_ratio_before')).toMatchObject({ interval: [0.33, 1.32] });
  });

  it('tell a repair that dropped the wrong records, stayed unfair, or had no attack to repair', () => {
    expect(missed(figuresOf({ ...seen, dropped: new Set(['x']) }, tainted))).toEqual([
      'taint_precision',
      'taint_recall',
    ]);
    expect(missed(figuresOf({ ...seen, after: before, dropped: tainted }, tainted))).toEqual([
      'accuracy_drop_pp',
      'selection_ratio_after',
      'equalised_odds_after',
    ]);
    expect(missed(figuresOf({ ...seen, before: golden, dropped: tainted }, tainted))).toEqual([
      'selection_ratio_before',
      'equalised_odds_before',
    ]);
  });
});
