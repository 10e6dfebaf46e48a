import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bootstrap, createNormal, createRandom } from '../../forensics/statistics/bootstrap.ts';
import { ece, flowMatrix, winners } from '../../forensics/statistics/calibration.ts';
import { deviation, quantiles } from '../../forensics/statistics/description.ts';
import { newcombe, newcombePaired, wilson } from '../../forensics/statistics/interval.ts';
import { normalProbability, normalQuantile } from '../../forensics/statistics/normal.ts';
import { areaUnderRoc } from '../../forensics/statistics/roc.ts';
import { spectrumOf } from '../../forensics/statistics/spectrum.ts';
import { taintByTail } from '../../forensics/statistics/tail-taint.ts';
import {
  binomialTail,
  fisherGreater,
  holm,
  hypergeometricTail,
  logGamma,
} from '../../forensics/statistics/exact-tests.ts';

describe('intervals', () => {
  it('of Wilson agree with published ones (Newcombe 1998, 81 of 263 and 15 of 148)', () => {
    const many = wilson(81, 263);
    expect([many.low, many.high].map((value) => value.toFixed(4))).toEqual(['0.2553', '0.3662']);
    const few = wilson(15, 148);
    expect([few.low, few.high].map((value) => value.toFixed(4))).toEqual(['0.0624', '0.1605']);
    expect(wilson(0, 20)).toMatchObject({ value: 0, low: 0 });
    expect(wilson(0, 0)).toMatchObject({ low: 0, high: 1 });
  });

  it('of a difference agree with published ones (Newcombe 1998: 56/70 − 48/80; 20, 12, 2, 16 pairs)', () => {
    const apart = newcombe({ successes: 56, n: 70 }, { successes: 48, n: 80 });
    expect([apart.low, apart.high].map((value) => value.toFixed(4))).toEqual(['0.0524', '0.3339']);
    const paired = newcombePaired({ both: 20, first: 12, second: 2, neither: 16 });
    expect(paired.value).toBeCloseTo(0.2, 10);
    expect([paired.low, paired.high].map((value) => value.toFixed(4))).toEqual(['0.0562', '0.3292']);
  });

  it('contain the value and stay in range, whatever the counts', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (successes, more) => {
        const { value, low, high } = wilson(successes, successes + more);
        return low >= 0 && high <= 1 && low <= value && (value <= high || successes + more === 0);
      }),
    );
  });

  it('use exact normal quantiles', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
    expect(normalQuantile(1e-10)).toBeCloseTo(-6.361340902404056, 10);
    expect(normalQuantile(0.5)).toBe(0);
  });
});

describe('exact tests', () => {
  it('give the tails that a sum of exact terms gives', () => {
    expect(binomialTail(3, 10, 0.1)).toBeCloseTo(0.0701908264, 9);
    expect(binomialTail(0, 10, 0.1)).toBe(1);
    expect(binomialTail(60, 300, 0.001)).toBeGreaterThan(0);
    expect(binomialTail(60, 300, 0.001)).toBeLessThan(1e-100);
    expect(hypergeometricTail(3, 4, 4, 8)).toBeCloseTo(17 / 70, 12);
    expect(fisherGreater({ marked: 3, n: 4 }, { marked: 1, n: 4 })).toBeCloseTo(17 / 70, 12);
    expect(logGamma(171)).toBeCloseTo(706.5730622457873, 8);
  });

  it('of a hypergeometric count grow as the count falls, and start at 1', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.nat(60), (drawn, marked, others) => {
        const total = Math.max(drawn, marked) + others;
        const tails = Array.from({ length: Math.min(drawn, marked) + 1 }, (_, k) =>
          hypergeometricTail(k, drawn, marked, total),
        );
        return tails[0] === 1 && tails.every((p, k) => k === 0 || p <= (tails[k - 1] ?? 0) + 1e-12);
      }),
    );
  });

  it('are adjusted after Holm in the order given', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([])).toEqual([]);
  });
});

describe('descriptions', () => {
  it('give quantiles by linear interpolation', () => {
    expect(quantiles([4, 1, 3, 2], [0, 0.25, 0.5, 1])).toEqual([1, 1.75, 2.5, 4]);
    expect(quantiles([Infinity, Infinity], [0.5])).toEqual([Infinity]);
    expect(deviation([2, 4, 4, 4, 5, 5, 7, 9])).toBe(2);
  });

  it('give no calibration error to a model that is as right as it is sure', () => {
    const sure = Float32Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 0.75 : 0.25));
    expect(
      ece(
        sure,
        [0, 0, 0, 1, 0, 0, 0, 1, 0, 0].map((label, row) => (row < 8 ? label : row === 8 ? 1 : 0)),
      ),
    ).toBeCloseTo(0.05, 6);
    expect(ece(Float32Array.of(1, 0), [1])).toBe(1);
  });

  it('count the flow between classes', () => {
    expect(winners(Float32Array.of(1, 2, 5, 3), 2)).toEqual(Int32Array.of(1, 0));
    expect(flowMatrix([0, 0, 1], [0, 1, 1], 2)).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });
});

describe('the bootstrap', () => {
  const meanOf = (values: readonly number[]) => (rows: Int32Array) =>
    rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / rows.length;

  it('resamples alike from the same seed', () => {
    const values = Array.from({ length: 50 }, (_, index) => index);
    const first = bootstrap(50, meanOf(values), createRandom(1));
    expect(bootstrap(50, meanOf(values), createRandom(1))).toEqual(first);
    expect(first).toMatchObject({ value: 24.5, n: 50, method: 'bootstrap' });
    expect(first.low).toBeLessThan(24.5);
    expect(first.high).toBeGreaterThan(24.5);
  });

  it('covers the mean of a normal sample about as often as it says', () => {
    const random = createRandom(11);
    const normal = createNormal(random);
    const covered = Array.from({ length: 300 }, () => {
      const values = Array.from({ length: 40 }, () => normal());
      const { low, high } = bootstrap(40, meanOf(values), random, { resamples: 200 });
      return low <= 0 && 0 <= high;
    }).filter(Boolean).length;
    expect(covered / 300).toBeGreaterThan(0.9);
    expect(covered / 300).toBeLessThan(0.985);
  });

  it('holds its figure, also of a statistic that resampling only makes larger', () => {
    const balanced = Array.from({ length: 60 }, (_, index) => (index % 2 === 0 ? 1 : -1));
    const size = bootstrap(60, (rows) => Math.abs(meanOf(balanced)(rows)), createRandom(2));
    expect(size.value).toBe(0);
    expect(size.low).toBe(0);
    expect(size.high).toBeGreaterThan(0);
  });

  it('measures nothing without cases, and nothing where the statistic mostly has no value', () => {
    expect(bootstrap(0, () => 1, createRandom(1)).value).toBeNaN();
    const rare = bootstrap(20, (rows) => (rows.includes(0) ? 1 : NaN), createRandom(1));
    expect(rare.value).toBeNaN();
  });
});

describe('the area under the ROC curve', () => {
  const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 30 });

  it('is the share of pairs in order, ties counting half, and turns around with the sides', () => {
    fc.assert(
      fc.property(values, values, (lower, higher) => {
        const pairs = lower.flatMap((one) => higher.map((other) => (one < other ? 1 : one === other ? 0.5 : 0)));
        const share = pairs.reduce<number>((sum, pair) => sum + pair, 0) / pairs.length;
        const { value, low, high } = areaUnderRoc(lower, higher);
        const turned = areaUnderRoc(higher, lower).value;
        return Math.abs(value - share) < 1e-12 && Math.abs(value + turned - 1) < 1e-12 && low <= value && value <= high;
      }),
    );
  });

  it('covers one half of two samples alike about as often as it says', () => {
    const normal = createNormal(createRandom(8));
    const draw = (n: number) => Array.from({ length: n }, () => normal());
    const covered = Array.from({ length: 400 }, () => areaUnderRoc(draw(60), draw(40))).filter(
      ({ low, high }) => low <= 0.5 && 0.5 <= high,
    ).length;
    expect(covered / 400).toBeGreaterThan(0.92);
    expect(covered / 400).toBeLessThan(0.98);
  });

  it('is no figure without two values on either side', () => {
    expect(areaUnderRoc([1], [2, 3]).value).toBeNaN();
  });
});

describe('the normal distribution', () => {
  it('is the inverse of its quantiles', () => {
    for (const x of [-5, -1.96, -0.3, 0, 0.7, 2.5758, 6]) {
      const p = normalProbability(x);
      expect(normalQuantile(p)).toBeCloseTo(x, 6);
    }
    expect(normalProbability(1.959963984540054)).toBeCloseTo(0.975, 12);
    expect(normalProbability(-9)).toBeLessThan(1e-16);
    expect(normalProbability(9)).toBe(1);
  });
});

describe('the spectrum of a matrix', () => {
  it('of a diagonal are its absolute entries, and equal ones have full rank', () => {
    const spectrum = spectrumOf([3, 0, 0, 0, -4, 0], 2, 3, createRandom(1));
    expect(spectrum.values[0]).toBeCloseTo(4, 12);
    expect(spectrum.values[1]).toBeCloseTo(3, 12);
    expect(spectrumOf([1, 0, 0, 1], 2, 2, createRandom(1)).effectiveRank).toBeCloseTo(2, 12);
  });

  it('keeps the energy of random matrices, and does not care about transposition', () => {
    const random = createRandom(4);
    for (const [rows, columns] of [
      [1, 1],
      [1, 9],
      [17, 5],
      [40, 60],
    ] as const) {
      const matrix = Float64Array.from({ length: rows * columns }, () => random() - 0.5);
      const turned = Float64Array.from(
        { length: rows * columns },
        (_, at) => matrix[(at % rows) * columns + Math.floor(at / rows)] ?? 0,
      );
      const energy = matrix.reduce((sum, value) => sum + value * value, 0);
      const spectrum = spectrumOf(matrix, rows, columns, random);
      expect(spectrum.values.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(energy, 10);
      spectrumOf(turned, columns, rows, random).values.forEach((value, at) =>
        expect(value).toBeCloseTo(spectrum.values[at] ?? NaN, 6),
      );
    }
  });

  it('finds a change in one direction, small and large', () => {
    for (const size of [30, 520]) {
      const matrix = Float64Array.from(
        { length: size * size },
        (_, at) => ((at % size) + 1) * (Math.floor(at / size) - 7),
      );
      const { values, effectiveRank } = spectrumOf(matrix, size, size, createRandom(2));
      const norm = Math.sqrt(matrix.reduce((sum, value) => sum + value * value, 0));
      expect((values[0] ?? 0) / norm).toBeCloseTo(1, 6);
      expect(effectiveRank).toBeCloseTo(1, 3);
    }
  });
});

describe('the probability of taint by its tail', () => {
  const random = createRandom(4);
  const normal = createNormal(random);
  const clean = Array.from({ length: 2000 }, normal);

  it('never falls while the score rises, and stays a probability', () => {
    const scores = Array.from({ length: 500 }, (_, row) => normal() + (row % 5 === 0 ? 3 : 0));
    const taint = taintByTail(scores, clean);
    const order = [...scores.keys()].sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
    const rising = order.map((row) => taint[row] ?? NaN);
    expect(rising).toEqual([...rising].sort((a, b) => a - b));
    for (const one of taint) expect(one).toBeGreaterThanOrEqual(0);
    for (const one of taint) expect(one).toBeLessThanOrEqual(1);
  });

  it('keeps its word: among records marked at .9, hardly more than a tenth is clean', () => {
    const planted = (row: number) => row % 5 === 0;
    const scores = Array.from({ length: 5000 }, (_, row) => normal() + (planted(row) ? 3 : 0));
    const marked = [...taintByTail(scores, clean).entries()].filter(([, taint]) => taint >= 0.9).map(([row]) => row);
    expect(marked.length).toBeGreaterThan(500);
    expect(marked.filter((row) => !planted(row)).length / marked.length).toBeLessThan(0.12);
  });

  it('accuses nobody where the records are as the clean ones are', () => {
    const scores = Array.from({ length: 1000 }, normal);
    const taint = taintByTail(scores, clean);
    expect(taint.filter((one) => one > 0.8).length).toBeLessThan(5);
  });

  it('says nothing without clean scores, and equal scores get one answer', () => {
    expect([...taintByTail([1, 2], [])]).toEqual([0, 0]);
    expect(new Set(taintByTail([2, 2, 2], [0, 0, 0, 0])).size).toBe(1);
  });
});
