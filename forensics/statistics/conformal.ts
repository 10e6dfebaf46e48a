/**
 * The threshold that a new clean score exceeds with probability at most `budget`: the ⌈(n+1)(1−budget)⌉-th smallest of n clean scores
 * (V. Vovk et al., Algorithmic Learning in a Random World, 2005). Holds for any distribution, as long as old and new scores are exchangeable.
 * null where n is too small for the budget.
 */
export function conformalThreshold(cleanScores: ArrayLike<number>, budget: number): number | null {
  const n = cleanScores.length;
  const rank = Math.ceil((n + 1) * (1 - budget));
  if (rank > n) return null;
  return Float64Array.from(cleanScores).sort()[Math.max(0, rank - 1)] ?? null;
}
