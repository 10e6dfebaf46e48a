import { logGamma } from './exact-tests.ts';

/** Both ends of an interval that holds at every number of observations at once. */
export interface Sequence {
  readonly low: number;
  readonly high: number;
}

/**
 * Confidence sequence of a proportion: whoever looks after every observation and stops when it suits him is wrong with probability `level` at
 * most. The rates p at which the likelihood of the counts, mixed over a uniform prior, is less than 1/level times their likelihood at p
 * (Ville's inequality; H. Robbins, Ann. Math. Stat. 41 (1970) 1397–1409).
 */
export function confidenceSequence(successes: number, n: number, level: number): Sequence {
  if (n === 0) return { low: 0, high: 1 };
  const failures = n - successes;
  const mixed = logGamma(successes + 1) + logGamma(failures + 1) - logGamma(n + 2);
  const against = (p: number): number => mixed - likelihood(successes, p) - likelihood(failures, 1 - p);
  const limit = -Math.log(level);
  const rate = successes / n;
  return {
    low: successes === 0 ? 0 : edge(against, limit, 0, rate),
    high: failures === 0 ? 1 : edge(against, limit, 1, rate),
  };
}

const likelihood = (count: number, p: number): number => (count === 0 ? 0 : count * Math.log(p));

/** Where `against` crosses the limit between `outside`, where it is above, and `inside`. */
function edge(against: (p: number) => number, limit: number, outside: number, inside: number): number {
  let [out, within] = [outside, inside];
  for (let turn = 0; turn < 50; turn++) {
    const middle = (out + within) / 2;
    if (against(middle) > limit) out = middle;
    else within = middle;
  }
  return out;
}
