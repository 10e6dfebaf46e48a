import { PROFILE_QUANTILES } from '../../domain/contracts/golden.ts';
import { bernoulliBets } from './sequential/bernoulli.ts';
import { meanBets, TESTS_PER_MEAN } from './sequential/mean.ts';
import { meanTolerance, PROFILE_DOUBT, upperRate } from './limits.ts';

/** How a figure of the answers was distributed on the hold-out. */
export interface Described {
  readonly mean: number;
  readonly sd: number;
  readonly quantiles: readonly number[];
}

/** The quantiles whose shares are watched; the extremes of a sample are no limits. */
const INNER = PROFILE_QUANTILES.map((p, at) => ({ p, at })).filter(({ p }) => p > 0 && p < 1);
const ODDS = 2;
/** Tests that one watched figure costs. */
export const TESTS_PER_SCALAR = TESTS_PER_MEAN + 2 * INNER.length;
/** A figure that never varied has no deviations to be measured in. */
const LEAST_SD = 1e-6;

/** Watches level (the mean) and variance (the shares beyond each quantile, to both sides) of one figure. */
export interface ScalarWatch {
  /** The greatest ln e, and which way it points. */
  step(value: number): { readonly evidence: number; readonly what: string };
  /** Running mean of about the last 200, in the figure's own unit. */
  level(): number;
  reset(): void;
}

export function scalarWatch({ mean, sd, quantiles }: Described, count: number): ScalarWatch {
  const unit = Math.max(sd, LEAST_SD);
  const doubt = PROFILE_DOUBT / TESTS_PER_SCALAR;
  const level = meanBets([0], [meanTolerance(1, count, doubt)]);
  const rate = (share: number): number => upperRate(share * count, count, doubt);
  const below = bernoulliBets(
    INNER.map(({ at }) => rate(shareAtMost(quantiles, at))),
    ODDS,
  );
  const above = bernoulliBets(
    INNER.map(({ at }) => rate(shareAtLeast(quantiles, at))),
    ODDS,
  );
  const limits = INNER.map(({ at }) => quantiles[at] ?? 0);
  return {
    step(value) {
      const moved = level.step(0, (value - mean) / unit);
      limits.forEach((limit, at) => {
        below.step(at, value <= limit);
        above.step(at, value >= limit);
      });
      const [low, high] = [below.best(), above.best()];
      const evidence = Math.max(moved, low.evidence, high.evidence);
      if (evidence === moved) return { evidence, what: level.shift(0) < 0 ? 'lower than' : 'higher than' };
      return { evidence, what: evidence === low.evidence ? 'more often low than' : 'more often high than' };
    },
    level: () => mean + unit * level.shift(0),
    reset() {
      level.reset();
      below.reset();
      above.reset();
    },
  };
}

/** Where several quantiles are equal there is an atom, and all that is known of its share is that it ends before the next one. */
function shareAtMost(quantiles: readonly number[], at: number): number {
  const tied = quantiles.filter((value) => value === quantiles[at]).length > 1;
  if (!tied) return PROFILE_QUANTILES[at] ?? 1;
  const next = quantiles.findIndex((value) => value > (quantiles[at] ?? 0));
  return next < 0 ? 1 : (PROFILE_QUANTILES[next] ?? 1);
}

function shareAtLeast(quantiles: readonly number[], at: number): number {
  const tied = quantiles.filter((value) => value === quantiles[at]).length > 1;
  if (!tied) return 1 - (PROFILE_QUANTILES[at] ?? 0);
  const before = quantiles.findLastIndex((value) => value < (quantiles[at] ?? 0));
  return before < 0 ? 1 : 1 - (PROFILE_QUANTILES[before] ?? 0);
}
