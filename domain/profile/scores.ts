/** Shannon entropy of a distribution, in nats. */
export function entropy(probabilities: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < probabilities.length; at++) {
    const p = probabilities[at] ?? 0;
    if (p > 0) sum -= p * Math.log(p);
  }
  return sum;
}

/** Deviation of a sum from 1 that float32 arithmetic explains. */
const ROUNDING = 1e-3;

/**
 * Energy −ln Σ exp(logit): high where the model knows nothing like the input (Liu et al., NeurIPS 2020). Null where the model answers with
 * probabilities: the energy of a distribution is zero for every input.
 */
export function energy(scores: ArrayLike<number>): number | null {
  let top = -Infinity;
  let least = Infinity;
  let total = 0;
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at] ?? 0;
    top = Math.max(top, score);
    least = Math.min(least, score);
    total += score;
  }
  if (least >= 0 && Math.abs(total - 1) < ROUNDING) return null;
  let sum = 0;
  for (let at = 0; at < scores.length; at++) sum += Math.exp((scores[at] ?? 0) - top);
  return -(top + Math.log(sum));
}
