/** T[j, i] = P(given label i | true label j), row-major [classes × classes]; rows sum to 1. */
export interface NoiseChannel {
  readonly matrix: Float64Array;
  readonly classes: number;
}

/** Before any record has spoken: this share of wrong labels, to any other class. */
const INITIAL_RATE = 0.1;
/** The prior of the overall rate, Beta(2, 10): mean 1/6, and weak. */
const RATE_PRIOR = { wrong: 2, right: 10 } as const;
/** Each row leans on the overall rate as on this many records: rare classes borrow what the common ones have shown. */
const ROW_WEIGHT = 8;

/** `tied`: one rate for all classes, spread by their shares. `free`: each class has its own rate and its own confusions. */
export type ChannelForm = 'tied' | 'free';

export function initialChannel(classes: number): NoiseChannel {
  const matrix = new Float64Array(classes * classes).fill(INITIAL_RATE / (classes - 1));
  for (let k = 0; k < classes; k++) matrix[k * classes + k] = 1 - INITIAL_RATE;
  return { matrix, classes };
}

/**
 * The channel at the mean of its posterior, given expected counts of (true, given) pairs. A Dirichlet prior per row, whose mean is the
 * overall rate spread over the other classes by their `shares` of the given labels. After A. P. Dawid and A. M. Skene, Applied Statistics
 * 28 (1979) 20–28, with one annotator, and shrinkage because many of the K² cells are nearly empty.
 */
export function channelOf(counts: Float64Array, shares: Float64Array, form: ChannelForm): NoiseChannel {
  const classes = shares.length;
  let all = 0;
  let right = 0;
  for (let j = 0; j < classes; j++) {
    right += counts[j * classes + j] ?? 0;
    for (let i = 0; i < classes; i++) all += counts[j * classes + i] ?? 0;
  }
  const rate = (all - right + RATE_PRIOR.wrong) / (all + RATE_PRIOR.wrong + RATE_PRIOR.right);
  const matrix = new Float64Array(classes * classes);
  for (let j = 0; j < classes; j++) {
    const elsewhere = 1 - (shares[j] ?? 0);
    let total = ROW_WEIGHT;
    for (let i = 0; i < classes; i++) total += counts[j * classes + i] ?? 0;
    for (let i = 0; i < classes; i++) {
      const expected = i === j ? 1 - rate : (rate * (shares[i] ?? 0)) / elsewhere;
      matrix[j * classes + i] =
        form === 'tied' ? expected : ((counts[j * classes + i] ?? 0) + ROW_WEIGHT * expected) / total;
    }
  }
  return { matrix, classes };
}

/** The share of each class among the given labels, with one record more for each: none is 0. */
export function sharesOf(labels: Int32Array, classes: number): Float64Array {
  const shares = new Float64Array(classes).fill(1);
  for (const label of labels) shares[label] = (shares[label] ?? 0) + 1;
  return shares.map((count) => count / (labels.length + classes));
}

/** What is known of one record: q, its given label, and what the model itself gives that label. */
export interface Seen {
  readonly belief: Float64Array;
  readonly given: number;
  readonly chance: number;
}

/**
 * P(true label j | scores, given label), into `posterior`: Bayes' rule with the belief as prior. With probability `doubt` the annotator
 * guessed as the model would, without a look at the true label; otherwise the label went through the channel. Into `channelled`: the part of
 * each posterior that went through the channel. Answers P(given label | scores).
 */
export function writePosterior(
  { matrix, classes }: NoiseChannel,
  doubt: number,
  { belief, given, chance }: Seen,
  posterior: Float64Array,
  channelled: Float64Array,
): number {
  let sum = 0;
  for (let j = 0; j < classes; j++) {
    const through = (belief[j] ?? 0) * (1 - doubt) * (matrix[j * classes + given] ?? 0);
    const joint = through + (belief[j] ?? 0) * doubt * chance;
    channelled[j] = through;
    posterior[j] = joint;
    sum += joint;
  }
  for (let j = 0; j < classes; j++) {
    posterior[j] = (posterior[j] ?? 0) / sum;
    channelled[j] = (channelled[j] ?? 0) / sum;
  }
  return sum;
}
