import type { Interval } from '../../domain/contracts/interval.ts';
import { mean, quantiles } from './description.ts';
import { CONFIDENCE } from './interval.ts';
import { normalProbability, normalQuantile } from './normal.ts';

// Named here because they run millions of times, and a global is looked up each time where a module has a context of its own.
const { imul, floor } = Math;

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** mulberry32: a 32-bit generator that gives the same numbers everywhere for the same seed. For resampling, never for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Standard normal deviates by the Box–Muller transform. */
export function createNormal(random: Random): Random {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Beyond each end of a 95 % interval lie 25 of them. */
const MOST_RESAMPLES = 1000;
/** And at least five: the ends are then rough, and the intervals of so many cases are narrow. */
const LEAST_RESAMPLES = 200;
/** Cases drawn in all: about a tenth of a second, in which nothing else runs on the thread. */
const DRAWS = 2_000_000;

/** Percentile bootstrap of the mean (B. Efron, Ann. Stat. 7 (1979) 1–26). */
export function bootstrapMean(
  values: ArrayLike<number>,
  random: Random,
  options: { resamples?: number; confidence?: number } = {},
): Interval {
  const confidence = options.confidence ?? CONFIDENCE;
  const n = values.length;
  const means = Array.from({ length: n === 0 ? 0 : (options.resamples ?? MOST_RESAMPLES) }, () => {
    let sum = 0;
    for (let draw = 0; draw < n; draw++) sum += values[Math.floor(random() * n)] ?? 0;
    return sum / n;
  });
  const [low, high] = quantiles(means, [(1 - confidence) / 2, 1 - (1 - confidence) / 2]);
  const value = mean(values);
  return {
    value,
    low: n === 0 ? value : (low ?? value),
    high: n === 0 ? value : (high ?? value),
    confidence,
    n,
    method: 'bootstrap',
  };
}

/** Draws of `0 … n−1` with replacement. The array is reused: a statistic MUST NOT keep it. */
export type Resample = Int32Array;

/**
 * Percentile bootstrap of any statistic of n cases (B. Efron, Ann. Stat. 7 (1979) 1–26), as wide as the plain percentiles and the
 * bias-corrected ones (Can. J. Stat. 9 (1981) 139–172) together: a figure that cannot be negative, like a calibration error, comes out larger
 * in resamples than in the sample, so that the plain lower end is too high, and the corrected upper end too low. `statistic` gets row numbers;
 * all of them once for the figure itself. The interval always holds the figure. A resample for which the statistic is not a number (an empty
 * group) is left out; without any case, or where more than a tenth is left out, the figure is NaN: it cannot be measured.
 */
export function bootstrap(
  n: number,
  statistic: (rows: Resample) => number,
  random: Random,
  options: { resamples?: number; confidence?: number } = {},
): Interval {
  const confidence = options.confidence ?? CONFIDENCE;
  const resamples = options.resamples ?? Math.max(LEAST_RESAMPLES, Math.min(MOST_RESAMPLES, Math.floor(DRAWS / n)));
  const nothing = { value: NaN, low: NaN, high: NaN, confidence, n, method: 'bootstrap' } as const;
  if (n === 0) return nothing;
  const rows = Int32Array.from({ length: n }, (_, row) => row);
  const value = statistic(rows);
  const seen: number[] = [];
  for (let draw = 0; draw < resamples; draw++) {
    for (let row = 0; row < n; row++) rows[row] = floor(random() * n);
    const figure = statistic(rows);
    if (!Number.isNaN(figure)) seen.push(figure);
  }
  if (Number.isNaN(value) || seen.length < 0.9 * resamples) return nothing;
  // Ties count half, so that a statistic of few values is not corrected for a bias it does not have.
  const below = seen.reduce((sum, one) => sum + (one < value ? 1 : one === value ? 0.5 : 0), 0) / seen.length;
  const bias = normalQuantile(Math.min(1 - HALF / resamples, Math.max(HALF / resamples, below)));
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const ends = quantiles(
    seen,
    [-z, z].flatMap((end) => [normalProbability(end), normalProbability(2 * bias + end)]),
  );
  return { ...nothing, value, low: Math.min(value, ...ends), high: Math.max(value, ...ends) };
}

/** A resample more or less than all: the share of those below the figure is known no better. */
const HALF = 0.5;
