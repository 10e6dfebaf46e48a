import type { Tailed } from '../../domain/contracts/golden.ts';
import { PROFILE_QUANTILES } from '../../domain/contracts/golden.ts';
import { upperRate } from './limits.ts';

/** Tells how surprising a high score is: an upper bound of P(score ≥ s) on clean traffic. */
export type Surprise = (score: number) => number;

/** Doubt about the shares of the hold-out that p-values are made of. */
const DOUBT = 0.01;
/** The tail is taken for wider than it was seen to be, by so many standard errors of its scale, each 1/√(values). */
const ERRORS = 2;
const LEAST_EXCESSES = 8;

/**
 * Inside the hold-out the shares themselves, as upper limits; beyond its upper tenth a generalised Pareto law of the excess (Pickands 1975;
 * for streams Siffer et al., KDD 2017) by probability-weighted moments (Hosking and Wallis, Technometrics 29 (1987) 339–349). The shape is never
 * taken below 0: no score is impossible. Where fewer than eight values lie beyond, there is no law to be seen: then it falls as exp(−excess /
 * unseenScale), by default not at all.
 */
export function surpriseOf({ quantiles, tail }: Tailed, count: number, unseenScale = Infinity): Surprise {
  const from = tail[0] ?? Infinity;
  const excesses = tail.filter((value) => value > from).map((value) => value - from);
  const share = upperRate(excesses.length, count, DOUBT);
  const told = excesses.length >= LEAST_EXCESSES;
  const { shape, scale } = told ? paretoOf(excesses) : { shape: 0, scale: unseenScale };
  const wider = told ? 1 + ERRORS / Math.sqrt(excesses.length) : 1;
  // Of equal quantiles the lowest: a value that half of the hold-out has is not rare because it is also its greatest.
  const steps = quantiles
    .map((limit, at) => ({ limit, p: upperRate((1 - (PROFILE_QUANTILES[at] ?? 0)) * count, count, DOUBT) }))
    .filter(({ limit }, at) => at === 0 || limit > (quantiles[at - 1] ?? Infinity));
  return (score) => {
    if (score > from) {
      const excess = (score - from) / (wider * scale);
      return share * (shape < 1e-3 ? Math.exp(-excess) : Math.pow(1 + shape * excess, -1 / shape));
    }
    // Not a number is no ordinary score.
    if (!(score <= from)) return share;
    let p = 1;
    for (const step of steps) if (score >= step.limit) p = step.p;
    return Math.max(share, p);
  };
}

/** Excesses ascending, all above 0. */
function paretoOf(excesses: readonly number[]): { shape: number; scale: number } {
  const n = excesses.length;
  const plain = excesses.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
  const weighted =
    excesses.reduce((sum, value, at) => sum + (value * (n - 1 - at)) / Math.max(1, n - 1), 0) / Math.max(1, n);
  const gap = plain - 2 * weighted;
  if (!(gap > 0)) return { shape: 1, scale: plain };
  const shape = 2 - plain / gap;
  if (shape <= 0) return { shape: 0, scale: plain };
  return { shape, scale: Math.max((2 * plain * weighted) / gap, plain * 0.1) };
}
