import { PROFILE_QUANTILES, type StreamProfile } from '../../domain/contracts/golden.ts';
import type { Budget } from './budget.ts';
import { PLACES, type Clients } from './clients.ts';
import { PROFILE_DOUBT, upperRate } from './limits.ts';
import { bernoulliBets } from './sequential/bernoulli.ts';
import type { Sentinel } from './sentinel.ts';

const SHARE = 0.01;
/** Half of the distance that one record in a hundred has to its nearest; distances here are squared. */
const NEARER = 0.25;
/** A search changes nearly every question a little; a client that changes one in twenty does so too. */
const ODDS = [6, 40] as const;

/**
 * Somebody who searches for an adversarial input by asking: question after question that is almost, and never quite, one of his last 32
 * (Square Attack: Andriushchenko et al., ECCV 2020; the counting of near-duplicates: Chen, Carlini and Wagner, SPAI 2020). Repeating the same
 * question is not probing.
 */
export function probingSentinel(stream: StreamProfile, clients: Clients, budget: Budget): Sentinel {
  const { count } = stream;
  const near = NEARER * (stream.sketch.among.quantiles[(PROFILE_QUANTILES as readonly number[]).indexOf(SHARE)] ?? 0);
  const limits = new Float64Array(PLACES).fill(upperRate(SHARE * count, count, PROFILE_DOUBT));
  const bets = ODDS.map((odds) => bernoulliBets(limits, odds));
  // A question of a newcomer counts twice: for him and for the pool.
  const threshold = budget.threshold(2 * ODDS.length);
  clients.onChange((place) => bets.forEach((bet) => bet.clear(place)));
  let evidence = 0;
  let duplicates = 0;
  return {
    name: 'probing',
    kind: 'evasion',
    observe(_event, reading) {
      if (!reading?.stream) return null;
      evidence = -Infinity;
      for (const { place, name, before, distance } of reading.stream.asked) {
        const close = distance < near;
        if (close) duplicates++;
        for (const bet of bets) evidence = Math.max(evidence, bet.step(place, close));
        if (evidence < threshold) continue;
        for (const bet of bets) bet.clear(place);
        return {
          statement: `Client ${name} asks again and again what is almost one of his last questions, as a search for an adversarial input does: ${before + 1} questions so far.`,
          evidence,
          threshold,
          client: name,
          figures: { questions: before + 1, distance: Math.sqrt(distance) },
        };
      }
      return null;
    },
    state: () => ({ evidence, threshold, duplicates }),
  };
}
