import type { Budget } from './budget.ts';
import { PROFILE_DOUBT, upperRate } from './limits.ts';
import { bernoulliBets } from './sequential/bernoulli.ts';
import type { Sentinel } from './sentinel.ts';

/** A small change of the mix and a great one. */
const ODDS = [1.8, 5] as const;
const MEMORY = 1 / 200;

/** Whether any class is answered more or less often than on the hold-out. */
export function classMixSentinel(classMix: readonly number[], count: number, budget: Budget): Sentinel {
  const classes = classMix.length;
  const doubt = PROFILE_DOUBT / (2 * classes);
  const more = classMix.map((share) => upperRate(share * count, count, doubt));
  const fewer = classMix.map((share) => upperRate((1 - share) * count, count, doubt));
  const bets = ODDS.map((odds) => bernoulliBets([...more, ...fewer], odds));
  const threshold = budget.threshold(2 * classes * ODDS.length);
  const running = Float64Array.from(classMix);
  let evidence = 0;
  return {
    name: 'class-mix',
    kind: 'drift',
    observe(_event, reading) {
      if (!reading || reading.predicted >= classes) return null;
      let at = 0;
      evidence = -Infinity;
      for (let one = 0; one < classes; one++)
        running[one] = (running[one] ?? 0) + MEMORY * ((reading.predicted === one ? 1 : 0) - (running[one] ?? 0));
      for (const bet of bets) {
        for (let one = 0; one < classes; one++) {
          bet.step(one, reading.predicted === one);
          bet.step(classes + one, reading.predicted !== one);
        }
        const best = bet.best();
        if (best.evidence > evidence) [at, evidence] = [best.at, best.evidence];
      }
      if (evidence < threshold) return null;
      for (const bet of bets) bet.reset();
      const one = at % classes;
      const [now, golden] = [running[one] ?? 0, classMix[one] ?? 0];
      return {
        statement: `Class ${one} is answered ${at < classes ? 'more' : 'less'} often than on the golden hold-out: ${(100 * now).toFixed(1)} % of late, ${(100 * golden).toFixed(1)} % there.`,
        evidence,
        threshold,
        client: null,
        figures: { class: one, share: now, golden },
      };
    },
    state: () => ({
      evidence,
      threshold,
      distance: running.reduce((sum, share, one) => sum + Math.abs(share - (classMix[one] ?? 0)), 0) / 2,
    }),
  };
}
