/** Which records to call wrong. */
export interface Cut {
  /** The smallest taint probability among the flagged; above 1 where none is. */
  readonly threshold: number;
  readonly flagged: number;
  /** F1 = 2·TP/(flagged + wrong) under the taint probabilities themselves: a promise of the model, not a measurement. */
  readonly expectedF1: number;
}

/**
 * The cut of highest expected F1, chosen without the truth. For one reading t of the labels, flagging the first k in order of taint has the
 * expected F1 2·Σ_top-k t / (k + Σ_all t) (Z. C. Lipton, C. Elkan and B. Narayanaswamy, ECML PKDD 2014; the plug-in rule of N. Ye et al.,
 * ICML 2012). Which reading holds is not known: the k of the highest mean over them is taken. Records of one taint are flagged together or
 * not at all, so the answer does not depend on their order.
 */
export function cutForF1(taint: Float64Array, readings: readonly Float64Array[]): Cut {
  const order = Uint32Array.from(taint.keys()).sort((a, b) => (taint[b] ?? 0) - (taint[a] ?? 0));
  const curves = readings.map((reading) => expectedF1s(reading, order));
  let flagged = 0;
  let best = 0;
  for (let k = 1; k <= order.length; k++) {
    if (taint[order[k - 1] ?? -1] === taint[order[k] ?? -1]) continue;
    let sum = 0;
    for (const curve of curves) sum += curve[k] ?? 0;
    if (sum <= best) continue;
    flagged = k;
    best = sum;
  }
  if (flagged === 0) return { threshold: Number.POSITIVE_INFINITY, flagged, expectedF1: 0 };
  return {
    threshold: taint[order[flagged - 1] ?? -1] ?? 0,
    flagged,
    expectedF1: expectedF1s(taint, order)[flagged] ?? 0,
  };
}

/** Under one reading, what flagging the first k of `order` is expected to give, for k from 0 to all. */
function expectedF1s(reading: Float64Array, order: Uint32Array): Float64Array {
  // Summed in order of taint: the last bits, too, must not depend on the order of the file.
  const all = order.reduce((sum, record) => sum + (reading[record] ?? 0), 0);
  const expected = new Float64Array(order.length + 1);
  let above = 0;
  for (let k = 1; k <= order.length; k++) {
    above += reading[order[k - 1] ?? -1] ?? 0;
    expected[k] = (2 * above) / (k + all);
  }
  return expected;
}
