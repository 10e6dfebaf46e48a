/** Beyond this no probability is told from 0 or 1: neither the model nor the fit knows that much. */
const EDGE = 1e-5;

/** log(p / (1 − p)), held within ±11.5. */
export function logit(p: number): number {
  const held = Math.min(1 - EDGE, Math.max(EDGE, p));
  return Math.log(held / (1 - held));
}

export function logistic(z: number): number {
  return 1 / (1 + Math.exp(-z));
}
