/** Two overlapping groups of numbers. */
export interface TwoGroups {
  /** For each number the probability that it belongs to the upper group; rises with the number. */
  readonly upper: Float64Array;
  /** Difference of the two means in common standard deviations. */
  readonly distance: number;
}

/** Of the spread of all numbers: keeps a group of equal numbers from having no width at all. */
const LEAST_DEVIATION = 0.02;

/**
 * Linear discriminant of two guessed groups (R. A. Fisher 1936): two normal distributions of one width, so that the probability is a logistic
 * function of the number and cannot fall again in a tail. The guess is not refined: on the development data expectation and maximisation moved
 * the cut away from where the records part.
 */
export function twoGroups(values: ArrayLike<number>, guess: (index: number) => boolean): TwoGroups {
  const n = values.length;
  const all = Array.from(values);
  const inside = all.filter((_, index) => guess(index));
  const outside = all.filter((_, index) => !guess(index));
  if (inside.length === 0 || outside.length === 0)
    return { upper: new Float64Array(n).fill(inside.length > 0 ? 1 : 0), distance: 0 };
  const high = average(inside);
  const low = average(outside);
  const centre = average(all);
  const within = [...inside.map((value) => (value - high) ** 2), ...outside.map((value) => (value - low) ** 2)];
  const spread = average(all.map((value) => (value - centre) ** 2));
  const variance = Math.max(Number.MIN_VALUE, LEAST_DEVIATION ** 2 * spread, average(within));
  const prior = Math.log(inside.length / outside.length);
  return {
    upper: Float64Array.from(all, (value) => {
      const odds = prior + ((high - low) / variance) * (value - (high + low) / 2);
      return 1 / (1 + Math.exp(-odds));
    }),
    distance: (high - low) / Math.sqrt(variance),
  };
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The cut that splits numbers into the two groups of least variance (N. Otsu, IEEE Trans. SMC 9 (1979)). */
export function twoGroupCut(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  const total = sorted.reduce((sum, value) => sum + value, 0);
  let cut = 0;
  let best = -Infinity;
  let below = 0;
  for (let at = 1; at < n; at++) {
    below += sorted[at - 1] ?? 0;
    const between = at * (n - at) * (below / at - (total - below) / (n - at)) ** 2;
    if (between > best) [best, cut] = [between, ((sorted[at - 1] ?? 0) + (sorted[at] ?? 0)) / 2];
  }
  return cut;
}
