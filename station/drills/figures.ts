import type { Figure } from '../drill.ts';
import type { Seen } from './course.ts';

/** How well the dropped records are the changed ones; 0 where nothing was dropped, or nothing was to be found. */
export interface Taint {
  readonly precision: number;
  readonly recall: number;
}

export function taintOf(dropped: ReadonlySet<string>, tainted: ReadonlySet<string>): Taint {
  const hits = [...dropped].filter((id) => tainted.has(id)).length;
  return {
    precision: dropped.size === 0 ? 0 : hits / dropped.size,
    recall: tainted.size === 0 ? 0 : hits / tainted.size,
  };
}

/** Percentage points of accuracy that the repaired model is below the golden one. */
export function accuracyDropPp(seen: Pick<Seen<{ readonly accuracy: number }>, 'golden' | 'after'>): number {
  return 100 * (seen.golden.accuracy - seen.after.accuracy);
}

export function holds(name: string, value: boolean, target: string): Figure {
  return { name, value, unit: '', target, met: value };
}

/** `bound` is what the target says: `>= 0.95`, `<= 1`; `because` is added to it in brackets. */
export function bounded(
  name: string,
  value: number,
  unit: string,
  bound: { readonly atLeast: number } | { readonly atMost: number },
  because?: string,
): Figure {
  const met = 'atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost;
  const target = 'atLeast' in bound ? `>= ${round(bound.atLeast)}` : `<= ${round(bound.atMost)}`;
  return { name, value: round(value), unit, target: because ? `${target} (${because})` : target, met };
}

export function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

export function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
