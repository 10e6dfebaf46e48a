import type { Budget } from './budget.ts';
import { surpriseBets } from './sequential/surprise.ts';
import type { Sentinel } from './sentinel.ts';

/** Shares of requests that may be strange, of which one is bet on by each test. */
export const STRANGE_SHARES = [0.01, 0.04] as const;
/** Four inputs as strange as this in a hundred are an alarm, two are not. */
export const LEAST_P = 1e-7;
const SCORES = ['energy', 'rarity', 'joint', 'nearest'] as const;
/** An input counts as an outlier in the figures where any of the four is rarer than this. */
const RARE = 0.01;
const MEMORY = 1 / 200;

/**
 * Whether inputs are unlike the hold-out more often, or more grossly, than its tail explains: by the model's energy, by how rare the
 * values are, by how they go together, by the distance to the nearest of the kept references. Needs a profile of the stream.
 */
export function outlierSentinel(budget: Budget): Sentinel {
  const bets = surpriseBets(SCORES.length, STRANGE_SHARES, LEAST_P);
  const threshold = budget.threshold(SCORES.length * STRANGE_SHARES.length);
  let [rate, evidence] = [0, 0];
  return {
    name: 'outliers',
    kind: 'drift',
    observe(_event, reading) {
      const strangeness = reading?.stream?.strangeness;
      if (!strangeness) return null;
      const least = Math.min(strangeness.energy, strangeness.rarity, strangeness.joint, strangeness.nearest);
      rate += MEMORY * ((least < RARE / SCORES.length ? 1 : 0) - rate);
      let by: (typeof SCORES)[number] = 'energy';
      evidence = -Infinity;
      SCORES.forEach((score, at) => {
        const now = bets.step(at, strangeness[score]);
        if (now > evidence) [evidence, by] = [now, score];
      });
      if (evidence < threshold) return null;
      SCORES.forEach((_, at) => bets.clear(at));
      return {
        statement: `Inputs are unlike the golden hold-out more often than its tail explains, by ${by}: ${(100 * rate).toFixed(1)} % of late are beyond its outermost hundredth.`,
        evidence,
        threshold,
        client: null,
        figures: { rate },
      };
    },
    state: () => ({ rate, evidence, threshold }),
  };
}
