import type { Interval } from '../../domain/contracts/interval.ts';
import { mean, quantiles } from './description.ts';
import { CONFIDENCE } from './interval.ts';

/** Uniform numbers in [0, 1). */
export type Random = () => number;

/** mulberry32: a 32-bit generator that gives the same numbers everywhere for the same seed. For resampling, never for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Standard normal deviates by the Box–Muller transform. */
export function createNormal(random: Random): Random {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Percentile bootstrap of the mean (B. Efron, Ann. Stat. 7 (1979) 1–26). */
export function bootstrapMean(
  values: ArrayLike<number>,
  random: Random,
  options: { resamples?: number; confidence?: number } = {},
): Interval {
  const confidence = options.confidence ?? CONFIDENCE;
  const n = values.length;
  const means = Array.from({ length: n === 0 ? 0 : (options.resamples ?? 1000) }, () => {
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
