import type { Interval } from '../../domain/contracts/interval.ts';
import { sortedCopy } from './description.ts';
import { CONFIDENCE } from './interval.ts';
import { normalQuantile } from './normal.ts';

/**
 * Area under the ROC curve: the chance that a value of `lower` lies below one of `higher`, ties counting half, with the interval of E. R. DeLong,
 * D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44 (1988) 837–845. NaN where one side has fewer than two values.
 */
export function areaUnderRoc(lower: ArrayLike<number>, higher: ArrayLike<number>, confidence = CONFIDENCE): Interval {
  const n = lower.length + higher.length;
  const nothing = { value: NaN, low: NaN, high: NaN, confidence, n, method: 'delong' } as const;
  if (lower.length < 2 || higher.length < 2) return nothing;
  const [sortedLower, sortedHigher] = [sortedCopy(lower), sortedCopy(higher)];
  const above = sortedLower.map((value) => 1 - shareBelow(sortedHigher, value));
  const below = sortedHigher.map((value) => shareBelow(sortedLower, value));
  const value = above.reduce((sum, share) => sum + share, 0) / above.length;
  const half =
    normalQuantile(1 - (1 - confidence) / 2) *
    Math.sqrt(varianceOf(above) / above.length + varianceOf(below) / below.length);
  return { ...nothing, value, low: Math.max(0, value - half), high: Math.min(1, value + half) };
}

/** Share of a sorted sample below a value, ties counting half. */
function shareBelow(sorted: Float64Array, value: number): number {
  return (rank(sorted, value, false) + rank(sorted, value, true)) / 2 / sorted.length;
}

/** How many values are smaller, or smaller and equal. */
function rank(sorted: Float64Array, value: number, withEqual: boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const own = sorted[middle] ?? Infinity;
    if (own < value || (withEqual && own === value)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Unbiased: divided by n − 1. */
function varianceOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
