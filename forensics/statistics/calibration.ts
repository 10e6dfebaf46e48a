// Named here because they run for every record of every resample.
const { ceil, max, min } = Math;
const { isNaN } = Number;

/** Bins of equal width over the top score, as in M. P. Naeini et al., AAAI 2015, and C. Guo et al., ICML 2017. */
export const ECE_BINS = 15;

/** Of every record: the top score, and whether the class it stands for is the right one (1 or 0). */
export interface Sureness {
  readonly confidence: Float64Array;
  readonly right: Uint8Array;
}

/** `probabilities` is row-major [labels.length × classes]. */
export function surenessOf(probabilities: Float32Array, labels: ArrayLike<number>): Sureness {
  const classes = probabilities.length / labels.length;
  const confidence = new Float64Array(labels.length);
  const right = new Uint8Array(labels.length);
  for (let row = 0; row < labels.length; row++) {
    const { index, value } = top(probabilities, row, classes);
    confidence[row] = value;
    right[row] = index === labels[row] ? 1 : 0;
  }
  return { confidence, right };
}

/**
 * Expected calibration error: mean over the bins of |accuracy − confidence|, weighted by the bin's share. Over all records, or over those of
 * `rows` (a resample). NaN where a score is none.
 */
export function calibrationError({ confidence, right }: Sureness, rows?: ArrayLike<number>, bins = ECE_BINS): number {
  const count = rows?.length ?? confidence.length;
  if (count === 0) return 0;
  const gaps = new Float64Array(bins);
  for (let index = 0; index < count; index++) {
    const row = rows ? (rows[index] ?? 0) : index;
    const score = confidence[row] ?? NaN;
    if (isNaN(score)) return NaN;
    const bin = min(bins - 1, max(0, ceil(score * bins) - 1));
    gaps[bin] = (gaps[bin] ?? 0) + (right[row] ?? 0) - score;
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / count;
}

/** The same of scores and labels at once; `probabilities` is row-major [labels.length × classes]. */
export function ece(probabilities: Float32Array, labels: ArrayLike<number>, bins = ECE_BINS): number {
  return labels.length === 0 ? 0 : calibrationError(surenessOf(probabilities, labels), undefined, bins);
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
