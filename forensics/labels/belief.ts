/**
 * What the model would believe of the true label, had it not learned from noisy ones: q = softmax(β·s + b) over the scores s.
 * Vector scaling with one temperature (C. Guo et al., ICML 2017), fitted to the posterior over true labels instead of to given ones.
 */
export interface Sharpening {
  /** β, the inverse temperature. */
  readonly beta: number;
  /** b, [classes]. */
  readonly bias: Float64Array;
}

/**
 * Prior of β: log-normal around 3, as heavy as 3 % of the records or as 100 of them, and never below 1.5. Probabilities learned from noisy
 * labels are flattened by that noise, and where classes overlap the data alone cannot tell noise from doubt: both explain a label that
 * surprises. The prior says what people mean by a label error: most records have one true label. Chosen on the development part of the bench.
 */
const PRIOR_LOG_BETA = 1.1;
const PRIOR_SHARE = 0.03;
const PRIOR_LEAST = 100;
const BETA_RANGE = [1.5, 6] as const;
/** Ridge on b, in records. */
const BIAS_WEIGHT = 1;
const BIAS_DAMPING = 0.7;

/** Looked up once: in the innermost loop, and a sandbox's globals are slow to reach. */
const { exp } = Math;

function priorWeight(records: number): number {
  return Math.max(PRIOR_LEAST, PRIOR_SHARE * records);
}

/** Of a fitted β, up to a constant. */
export function logPrior({ beta }: Sharpening, records: number): number {
  return (-priorWeight(records) / 2) * (Math.log(beta) - PRIOR_LOG_BETA) ** 2;
}

/** With β where the hypothesis says, or at the lowest that a fit may end with. */
export function initialSharpening(classes: number, beta: number | null): Sharpening {
  return { beta: beta ?? BETA_RANGE[0], bias: new Float64Array(classes) };
}

/** q for one row of scores, into `into` from 0. */
export function writeBelief(
  sharpening: Sharpening,
  scores: Float64Array,
  offset: number,
  into: Float64Array,
  classes: number,
): void {
  const { beta, bias } = sharpening;
  let top = -Infinity;
  for (let k = 0; k < classes; k++) {
    const logit = beta * (scores[offset + k] ?? 0) + (bias[k] ?? 0);
    into[k] = logit;
    if (logit > top) top = logit;
  }
  let sum = 0;
  for (let k = 0; k < classes; k++) {
    const odds = exp((into[k] ?? 0) - top);
    into[k] = odds;
    sum += odds;
  }
  for (let k = 0; k < classes; k++) into[k] = (into[k] ?? 0) / sum;
}

/** Sums over records of the log-likelihood's gradient and the diagonal of its curvature, at one sharpening. */
export interface SharpeningSums {
  beta: number;
  betaCurvature: number;
  readonly bias: Float64Array;
  readonly biasCurvature: Float64Array;
}

export function noSums(classes: number): SharpeningSums {
  return { beta: 0, betaCurvature: 0, bias: new Float64Array(classes), biasCurvature: new Float64Array(classes) };
}

/** Adds one record: `belief` is q, `posterior` what the given label made of it. */
export function addRecord(
  sums: SharpeningSums,
  belief: Float64Array,
  posterior: Float64Array,
  scores: Float64Array,
  offset: number,
): void {
  let mean = 0;
  let square = 0;
  for (let k = 0; k < belief.length; k++) {
    const q = belief[k] ?? 0;
    const score = scores[offset + k] ?? 0;
    const surplus = (posterior[k] ?? 0) - q;
    sums.beta += surplus * score;
    sums.bias[k] = (sums.bias[k] ?? 0) + surplus;
    sums.biasCurvature[k] = (sums.biasCurvature[k] ?? 0) + q * (1 - q);
    mean += q * score;
    square += q * score * score;
  }
  sums.betaCurvature += square - mean * mean;
}

/** One damped Newton step with a diagonal curvature, towards the maximum a posteriori; of the biases alone where β is held. */
export function step(from: Sharpening, sums: SharpeningSums, records: number, held: boolean): Sharpening {
  const bias = from.bias.map((value, k) => {
    const slope = (sums.bias[k] ?? 0) - BIAS_WEIGHT * value;
    return value + clamp((BIAS_DAMPING * slope) / ((sums.biasCurvature[k] ?? 0) + BIAS_WEIGHT + 1), -1, 1);
  });
  const mean = bias.reduce((sum, value) => sum + value, 0) / bias.length;
  return { beta: held ? from.beta : steppedBeta(from.beta, sums, records), bias: bias.map((value) => value - mean) };
}

function steppedBeta(beta: number, sums: SharpeningSums, records: number): number {
  const weight = priorWeight(records);
  const gradient = sums.beta - (weight * (Math.log(beta) - PRIOR_LOG_BETA)) / beta;
  const curvature = sums.betaCurvature + weight / beta ** 2;
  return clamp(beta + clamp(gradient / curvature, -0.5, 0.5), ...BETA_RANGE);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
