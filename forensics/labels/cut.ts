/** Which records to call wrong. */
export interface Cut {
  /** The smallest taint probability among the flagged; above 1 where none is. */
  readonly threshold: number;
  readonly flagged: number;
  /** F1 = 2·TP/(flagged + wrong) under the taint probabilities themselves: a promise of the model, not a measurement. */
  readonly expectedF1: number;
}

/**
 * The cut of highest expected F1, chosen without the truth: with the records in order of taint t, the k that maximises
 * 2·Σ_top-k t / (k + Σ_all t) (Z. C. Lipton, C. Elkan and B. Narayanaswamy, ECML PKDD 2014; the plug-in rule of N. Ye et al., ICML 2012).
 * Records of one taint are flagged together or not at all, so the answer does not depend on their order.
 */
export function cutForF1(taint: Float64Array): Cut {
  const ascending = taint.slice().sort();
  let all = 0;
  for (const value of ascending) all += value;
  let best: Cut = { threshold: Number.POSITIVE_INFINITY, flagged: 0, expectedF1: 0 };
  let above = 0;
  for (let k = 1; k <= ascending.length; k++) {
    const value = ascending[ascending.length - k] ?? 0;
    above += value;
    if (value === ascending[ascending.length - k - 1]) continue;
    const expectedF1 = (2 * above) / (k + all);
    if (expectedF1 > best.expectedF1) best = { threshold: value, flagged: k, expectedF1 };
  }
  return best;
}
