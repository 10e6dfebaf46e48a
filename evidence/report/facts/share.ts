import type { Interval } from '../../../domain/contracts/interval.ts';

const Z_95 = 1.959963984540054;

/** A proportion of `n` observations with its 95 % score interval (Wilson 1927, eq. without continuity correction); null for n = 0. */
export function share(successes: number, n: number): Interval | null {
  if (n === 0) return null;
  const p = successes / n;
  const z2n = Z_95 ** 2 / n;
  const centre = (p + z2n / 2) / (1 + z2n);
  const half = (Z_95 / (1 + z2n)) * Math.sqrt((p * (1 - p)) / n + z2n / (4 * n));
  return {
    value: p,
    low: successes === 0 ? 0 : Math.max(0, centre - half),
    high: successes === n ? 1 : Math.min(1, centre + half),
    confidence: 0.95,
    n,
    method: 'wilson',
  };
}
