import type { Budget } from './budget.ts';
import { PROFILE_DOUBT, upperRate } from './limits.ts';
import { bernoulliBets, type BernoulliBets } from './sequential/bernoulli.ts';
import type { Sentinel } from './sentinel.ts';

/** Requests after release in which latency and errors are learnt, and then never again. */
const REFERENCE = 1000;
/** What is slow: so many times what nineteen of twenty took in the reference. */
const SLOW = 3;
/** Errors and slow answers below this share are nobody's alarm. */
const LEAST_RATE = 0.02;
const ODDS = 4;
const MEMORY = 1 / 200;

/**
 * Slow answers and failed ones, more often than in the first thousand requests after release: inputs made to be slow (sponge examples: Shumailov et
 * al., EuroS&P 2021), or a model or machine that fails. Latencies come in bursts, and the guarantee is for requests that do not hang together;
 * so only what is grossly slow counts.
 */
export function loadSentinel(budget: Budget): Sentinel {
  const reference = new Float64Array(REFERENCE);
  const threshold = budget.threshold(2);
  let [seen, answered, failed] = [0, 0, 0];
  let slowUs = Infinity;
  let bets: BernoulliBets | null = null;
  let [slowRate, errorRate, evidence] = [0, 0, 0];

  function learn(): BernoulliBets {
    const sorted = reference.slice(0, answered).sort();
    slowUs = SLOW * (sorted[Math.floor(0.95 * answered)] ?? Infinity);
    const slow = sorted.filter((value) => value > slowUs).length;
    const rate = (happened: number, n: number): number =>
      Math.max(LEAST_RATE, upperRate(happened, n, PROFILE_DOUBT / 2));
    return bernoulliBets([rate(slow, answered), rate(failed, REFERENCE)], ODDS);
  }

  return {
    name: 'load',
    kind: 'evasion',
    observe(event) {
      seen++;
      if (!bets) {
        if (event.ok) reference[answered++] = event.latencyUs;
        else failed++;
        if (seen === REFERENCE) bets = learn();
        return null;
      }
      const slow = event.ok && event.latencyUs > slowUs;
      slowRate += MEMORY * ((slow ? 1 : 0) - slowRate);
      errorRate += MEMORY * ((event.ok ? 0 : 1) - errorRate);
      const bySlow = event.ok ? bets.step(0, slow) : bets.evidence(0);
      const byError = bets.step(1, !event.ok);
      evidence = Math.max(bySlow, byError);
      if (evidence < threshold) return null;
      bets.reset();
      return {
        statement:
          bySlow >= byError
            ? `${(100 * slowRate).toFixed(1)} % of the answers took more than ${(slowUs / 1000).toFixed(1)} ms of late, ${SLOW} times what nineteen of twenty took after release.`
            : `${(100 * errorRate).toFixed(1)} % of the requests failed of late, more than after release.`,
        evidence,
        threshold,
        client: null,
        figures: { slowRate, errorRate, slowUs },
      };
    },
    state: () => ({ slowRate, errorRate, slowUs: Number.isFinite(slowUs) ? slowUs : null, evidence, threshold }),
  };
}
