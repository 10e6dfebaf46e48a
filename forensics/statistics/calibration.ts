/** Bins of equal width over the top score, as in M. P. Naeini et al., AAAI 2015, and C. Guo et al., ICML 2017. */
export const ECE_BINS = 15;

/**
 * Expected calibration error: mean over the bins of |accuracy − confidence|, weighted by the bin's share.
 * `probabilities` is row-major [labels.length × classes].
 */
export function ece(probabilities: Float32Array, labels: ArrayLike<number>, bins = ECE_BINS): number {
  const count = labels.length;
  if (count === 0) return 0;
  const classes = probabilities.length / count;
  const right = new Float64Array(bins);
  const confidence = new Float64Array(bins);
  for (let row = 0; row < count; row++) {
    const { index, value } = top(probabilities, row, classes);
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(value * bins) - 1));
    confidence[bin] = (confidence[bin] ?? 0) + value;
    if (index === labels[row]) right[bin] = (right[bin] ?? 0) + 1;
  }
  let sum = 0;
  for (let bin = 0; bin < bins; bin++) sum += Math.abs((right[bin] ?? 0) - (confidence[bin] ?? 0));
  return sum / count;
}

/** The winning class of one row; the lowest index wins a tie, and a row without any number answers class 0 with score NaN. */
export function top(scores: Float32Array, row: number, classes: number): { index: number; value: number } {
  let index = 0;
  let value = scores[row * classes] ?? NaN;
  for (let column = 1; column < classes; column++) {
    const score = scores[row * classes + column] ?? NaN;
    if (score > value || (Number.isNaN(value) && !Number.isNaN(score))) {
      index = column;
      value = score;
    }
  }
  return { index, value };
}

/** The winning class of every row. */
export function winners(scores: Float32Array, classes: number): Int32Array {
  return Int32Array.from(
    { length: classes === 0 ? 0 : scores.length / classes },
    (_, row) => top(scores, row, classes).index,
  );
}

/** Counts [from class][to class]. Classes outside 0 … classes−1 are left out. */
export function flowMatrix(from: ArrayLike<number>, to: ArrayLike<number>, classes: number): number[][] {
  const flow = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let index = 0; index < from.length; index++) {
    const row = flow[from[index] ?? -1];
    const column = to[index] ?? -1;
    if (row && column >= 0 && column < classes) row[column] = (row[column] ?? 0) + 1;
  }
  return flow;
}
