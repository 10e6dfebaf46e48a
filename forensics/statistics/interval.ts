import type { Interval } from '../../domain/contracts/interval.ts';
import { normalQuantile } from './normal.ts';

/** Confidence of every interval in a report, unless it says otherwise. */
export const CONFIDENCE = 0.95;

/**
 * Wilson score interval of a proportion. E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209–212. Without observations the value is 0 and the
 * interval is all of [0, 1].
 */
export function wilson(successes: number, n: number, confidence = CONFIDENCE): Interval {
  if (n === 0) return { value: 0, low: 0, high: 1, confidence, n, method: 'wilson' };
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const p = successes / n;
  const centre = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return {
    value: p,
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === n ? 1 : Math.min(1, centre + half),
    confidence,
    n,
    method: 'wilson',
  };
}

/** Difference a − b of two independent proportions, hybrid score interval: R. G. Newcombe, Stat. Med. 17 (1998) 873–890, method 10. */
export function newcombe(
  a: { successes: number; n: number },
  b: { successes: number; n: number },
  confidence = CONFIDENCE,
): Interval {
  const first = wilson(a.successes, a.n, confidence);
  const second = wilson(b.successes, b.n, confidence);
  return difference(first, second, 0, Math.min(a.n, b.n), confidence);
}

/** Counts over the same cases: both right, only the first right, only the second right, neither. */
export interface Pairs {
  readonly both: number;
  readonly first: number;
  readonly second: number;
  readonly neither: number;
}

/**
 * Difference first − second of two proportions measured on the same cases: R. G. Newcombe, Stat. Med. 17 (1998) 2635–2650, method 10 (hybrid
 * score with the correlation φ of the pairs, corrected for continuity).
 */
export function newcombePaired(pairs: Pairs, confidence = CONFIDENCE): Interval {
  const n = pairs.both + pairs.first + pairs.second + pairs.neither;
  const first = wilson(pairs.both + pairs.first, n, confidence);
  const second = wilson(pairs.both + pairs.second, n, confidence);
  const margins =
    (pairs.both + pairs.first) *
    (pairs.second + pairs.neither) *
    (pairs.both + pairs.second) *
    (pairs.first + pairs.neither);
  const product = pairs.both * pairs.neither - pairs.first * pairs.second;
  const corrected = product > n / 2 ? product - n / 2 : product >= 0 ? 0 : product;
  const phi = margins === 0 ? 0 : corrected / Math.sqrt(margins);
  return difference(first, second, phi, n, confidence);
}

function difference(first: Interval, second: Interval, phi: number, n: number, confidence: number): Interval {
  const value = first.value - second.value;
  const below = spread(first.value - first.low, second.high - second.value, phi);
  const above = spread(second.value - second.low, first.high - first.value, phi);
  return {
    value,
    low: n === 0 ? -1 : Math.max(-1, value - below),
    high: n === 0 ? 1 : Math.min(1, value + above),
    confidence,
    n,
    method: 'newcombe',
  };
}

function spread(a: number, b: number, phi: number): number {
  return Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b));
}
