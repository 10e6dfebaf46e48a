import type { Figure } from '../station/drill.ts';

/** A distribution of durations. Percentiles are nearest-rank: the value itself of a sample that was measured, never one in between. */
export interface Distribution {
  readonly samples: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export function distributionOf(values: readonly number[]): Distribution {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = [...values].sort((one, other) => one - other);
  const rank = (share: number): number => tenths(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN);
  return { samples: sorted.length, p50: rank(0.5), p90: rank(0.9), p99: rank(0.99), max: rank(1) };
}

/** A figure that is better the smaller it is, beside its target. */
export function atMost(name: string, value: number, unit: string, limit: number): Figure {
  return { name, value: tenths(value), unit, target: `≤ ${limit} ${unit}`, met: value <= limit };
}

/** A figure that has to be exactly so. */
export function exactly(name: string, value: number, unit: string, wanted: number): Figure {
  return { name, value, unit, target: `${wanted} ${unit}`, met: value === wanted };
}

export function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
