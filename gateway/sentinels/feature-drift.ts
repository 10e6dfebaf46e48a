import { PROFILE_QUANTILES, type Profile } from '../../domain/contracts/golden.ts';
import type { Budget } from './budget.ts';
import { psiFigures } from './psi.ts';
import { meanTolerance, PROFILE_DOUBT, upperRate } from './limits.ts';
import { bernoulliBets } from './sequential/bernoulli.ts';
import { BET_CLIP, meanBets, TESTS_PER_MEAN } from './sequential/mean.ts';
import type { Sentinel } from './sentinel.ts';

/** Features watched at most; of wider inputs every k-th. What is left out is told in the state. */
export const MOST_FEATURES = 256;
/** The quantiles at which the distribution functions are compared (Kolmogorov–Smirnov on a grid). */
const GRID = PROFILE_QUANTILES.map((p, at) => ({ p, at })).filter(({ p }) => p > 0 && p < 1);
const SIDES = 2 * GRID.length;
const ODDS = 3;
/** The budget is halved between the tests of means, which are few, and those of distribution functions. */
const HALVES = 2;

/**
 * Whether any single feature has moved: its mean, by betting, and its distribution function at seven quantiles to both sides, by likelihood
 * ratios. Without a profile of the stream the shares at the quantiles are not known where values repeat, and only means are watched.
 */
export function featureDriftSentinel(profile: Profile, count: number, budget: Budget): Sentinel {
  const { features, stream } = profile;
  const stride = Math.max(1, Math.ceil(features.length / MOST_FEATURES));
  const watched = features.map((_, at) => at).filter((at) => at % stride === 0);
  const doubt = PROFILE_DOUBT / (watched.length * (2 + SIDES));
  const clipped = watched.map((at) => stream?.features[at]?.clipped ?? { mean: 0, sd: 1 });
  const means = meanBets(
    clipped.map(({ mean }) => mean),
    clipped.map(({ sd }) => meanTolerance(Math.max(sd, 0.5), count, doubt)),
  );
  const meanThreshold = budget.threshold(HALVES * watched.length * TESTS_PER_MEAN);
  const gridThreshold = budget.threshold(HALVES * watched.length * SIDES);
  const limits = Float32Array.from(watched.flatMap((at) => GRID.map((step) => features[at]?.quantiles[step.at] ?? 0)));
  const rates = watched.flatMap((at) => {
    const shares = stream?.features[at];
    const rate = (share: number | undefined): number =>
      share === undefined ? 1 : upperRate(Math.round(share * count), count, doubt);
    return GRID.flatMap((step) => [rate(shares?.atMost[step.at]), rate(shares?.atLeast[step.at])]);
  });
  const grid = bernoulliBets(rates, ODDS);
  const psi = psiFigures(features, watched, count);
  let evidence = 0;
  return {
    name: 'feature-drift',
    kind: 'drift',
    observe(_event, reading) {
      if (!reading) return null;
      let best = -Infinity;
      let bestAt = 0;
      const { z, features: row } = reading;
      for (let k = 0; k < watched.length; k++) {
        const at = watched[k] ?? 0;
        const now = means.step(k, z[at] ?? 0);
        if (now > best) [best, bestAt] = [now, k];
        const value = row[at] ?? NaN;
        const base = k * GRID.length;
        for (let step = 0; step < GRID.length; step++) {
          const limit = limits[base + step] ?? 0;
          grid.step(2 * (base + step), value <= limit);
          grid.step(2 * (base + step) + 1, value >= limit);
        }
      }
      psi.count(row);
      const moved = grid.best();
      evidence = Math.max(best - meanThreshold, moved.evidence - gridThreshold);
      if (evidence < 0) return null;
      const byMean = best - meanThreshold >= moved.evidence - gridThreshold;
      const k = byMean ? bestAt : Math.floor(moved.at / SIDES);
      const feature = watched[k] ?? 0;
      const shift = means.shift(k);
      means.reset();
      grid.reset();
      return {
        statement: byMean
          ? `Feature ${feature} is ${shift < 0 ? 'lower' : 'higher'} than on the golden hold-out, by ${Math.abs(shift).toFixed(2)} of its deviations (clipped at ${BET_CLIP}).`
          : `Feature ${feature} is too often ${moved.at % 2 === 0 ? 'at most' : 'at least'} ${limits[moved.at >> 1]?.toPrecision(4)}, its quantile ${GRID[(moved.at % SIDES) >> 1]?.p} on the golden hold-out.`,
        evidence: byMean ? best : moved.evidence,
        threshold: byMean ? meanThreshold : gridThreshold,
        client: null,
        figures: { feature, shift },
      };
    },
    state: () => ({
      evidenceBelowThreshold: evidence,
      meanThreshold,
      gridThreshold,
      watched: watched.length,
      notWatched: features.length - watched.length,
      ...psi.last(),
    }),
  };
}
