import type { Budget } from './budget.ts';
import { bernoulliBets } from './sequential/bernoulli.ts';
import type { Sentinel } from './sentinel.ts';

const ODDS = 3;
const MEMORY = 1 / 200;

/** Whether the mirrored model gives another class more often than two good models may: `limit` is declared, it is no property of one profile. */
export function disagreementSentinel(limit: number, budget: Budget): Sentinel {
  const bets = bernoulliBets([limit], ODDS);
  const threshold = budget.threshold(1);
  let [rate, evidence, compared] = [0, 0, 0];
  return {
    name: 'disagreement',
    kind: 'tampering',
    observe(event, reading) {
      if (!reading || event.mirrored === undefined) return null;
      const apart = event.mirrored !== reading.predicted;
      compared++;
      rate += MEMORY * ((apart ? 1 : 0) - rate);
      evidence = bets.step(0, apart);
      if (evidence < threshold) return null;
      bets.reset();
      return {
        statement: `The two models that answer the same requests disagree on more than ${(100 * limit).toFixed(1)} % of them: ${(100 * rate).toFixed(1)} % of late.`,
        evidence,
        threshold,
        client: null,
        figures: { rate, limit },
      };
    },
    state: () => ({ compared, rate, evidence, threshold }),
  };
}
