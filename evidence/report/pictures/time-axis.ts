import type { Stretch } from '../facts/timeline.ts';

/**
 * A time axis on which long waits for people are folded, or the station's own seconds could not be seen beside a night's sleep.
 * Folded stretches are marked in the picture, and every duration stands beside its bar.
 */
export interface TimeAxis {
  readonly x: (ms: number) => number;
  readonly folds: readonly { from: number; to: number }[];
  readonly ticks: readonly { ms: number; x: number; label: string }[];
}

/** A wait longer than this share of the station's own time is folded, to this share. */
const FOLD_OVER = 0.25;
const FOLDED = 0.12;

export function timeAxis(
  stretches: readonly Stretch[],
  totalMs: number,
  span: { left: number; width: number; ticks: number },
): TimeAxis {
  const work = stretches.filter((s) => s.kind === 'work').reduce((sum, s) => sum + s.to - s.from, 0);
  const folds = stretches.filter((s) => s.kind === 'people' && work > 0 && s.to - s.from > FOLD_OVER * work);
  const folded = (ms: number): number => {
    let drawn = ms;
    for (const fold of folds) {
      if (ms <= fold.from) continue;
      const length = fold.to - fold.from;
      const within = Math.min(ms, fold.to) - fold.from;
      drawn -= within * (1 - (FOLDED * work) / length);
    }
    return drawn;
  };
  const drawnTotal = Math.max(folded(totalMs), 1e-9);
  const x = (ms: number): number => span.left + (span.width * folded(ms)) / drawnTotal;
  return { x, folds, ticks: ticksOf(stretches, folds, totalMs, drawnTotal, span.ticks, x) };
}

const STEPS_MS = [
  10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5,
];

function ticksOf(
  stretches: readonly Stretch[],
  folds: readonly Stretch[],
  totalMs: number,
  drawnMs: number,
  wanted: number,
  x: (ms: number) => number,
): TimeAxis['ticks'] {
  const step = STEPS_MS.find((candidate) => drawnMs / candidate <= wanted) ?? drawnMs;
  const ticks: { ms: number; x: number; label: string }[] = [];
  const edges = [0, ...folds.flatMap((fold) => [fold.from, fold.to]), totalMs];
  for (let index = 0; index + 1 < edges.length; index += 2) {
    const from = edges[index] ?? 0;
    const to = edges[index + 1] ?? 0;
    // At most `wanted` ticks fit all the unfolded stretches together, however long the incident was.
    for (let ms = Math.ceil(from / step) * step; ms <= to && stretches.length > 0; ms += step)
      ticks.push({ ms, x: x(ms), label: elapsed(ms, step) });
  }
  return ticks;
}

function elapsed(ms: number, step: number): string {
  const seconds = ms / 1000;
  if (ms < 60_000) return `${step < 1000 ? seconds.toFixed(step < 100 ? 2 : 1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  return minutes < 60
    ? `${minutes}:${two(whole % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
