import type { Predictor } from '../../forensics/predictor/predictor.ts';
import { normalise } from '../../forensics/predictor/predictor.ts';
import { normalOf, orderOf, type Random } from './random.ts';

export interface Training {
  readonly hidden: number;
  readonly epochs: number;
  readonly rate: number;
}

const BATCH = 32;
const BETA = { first: 0.9, second: 0.999 } as const;
const TINY = 1e-8;

export interface Network {
  /** Row-major [count × classes]. */
  logits(features: Float32Array, count: number): Float32Array;
}

/**
 * One hidden layer of rectified units and a softmax, trained with Adam on cross entropy with the given distributions (labels are distributions too);
 * features are brought to mean 0 and deviation 1 of the training records. The victims of two data sets and every surrogate are made by it.
 */
export function train(
  features: Float32Array,
  targets: Float32Array,
  size: { count: number; width: number; classes: number },
  training: Training,
  random: Random,
): Network {
  const { count, width, classes } = size;
  const { hidden, epochs, rate } = training;
  const { centre, inverse } = scaleOf(features, count, width);
  // One array, one optimiser: weights of the first layer [hidden × width], its biases, then the second [classes × hidden] and its.
  const at = { b1: hidden * width, w2: hidden * width + hidden, b2: hidden * width + hidden + classes * hidden };
  const weights = new Float64Array(at.b2 + classes);
  for (let k = 0; k < at.b1; k++) weights[k] = normalOf(random) * Math.sqrt(2 / width);
  for (let k = at.w2; k < at.b2; k++) weights[k] = normalOf(random) * Math.sqrt(2 / hidden);
  const gradient = new Float64Array(weights.length);
  const first = new Float64Array(weights.length);
  const second = new Float64Array(weights.length);
  const x = new Float64Array(width);
  const h = new Float64Array(hidden);
  const out = new Float64Array(classes);

  function forward(table: Float32Array, row: number): void {
    const base = row * width;
    for (let k = 0; k < width; k++) x[k] = ((table[base + k] ?? 0) - (centre[k] ?? 0)) * (inverse[k] ?? 0);
    for (let unit = 0; unit < hidden; unit++) {
      let sum = weights[at.b1 + unit] ?? 0;
      const own = unit * width;
      for (let k = 0; k < width; k++) sum += (weights[own + k] ?? 0) * (x[k] ?? 0);
      h[unit] = sum > 0 ? sum : 0;
    }
    for (let one = 0; one < classes; one++) {
      let sum = weights[at.b2 + one] ?? 0;
      const own = at.w2 + one * hidden;
      for (let unit = 0; unit < hidden; unit++) sum += (weights[own + unit] ?? 0) * (h[unit] ?? 0);
      out[one] = sum;
    }
  }

  function backward(row: number): void {
    const top = out.reduce((most, value) => Math.max(most, value), -Infinity);
    const sum = out.reduce((total, value) => total + Math.exp(value - top), 0);
    for (let one = 0; one < classes; one++)
      out[one] = Math.exp((out[one] ?? 0) - top) / sum - (targets[row * classes + one] ?? 0);
    for (let one = 0; one < classes; one++) {
      const error = out[one] ?? 0;
      gradient[at.b2 + one] = (gradient[at.b2 + one] ?? 0) + error;
      for (let unit = 0; unit < hidden; unit++) {
        const to = at.w2 + one * hidden + unit;
        gradient[to] = (gradient[to] ?? 0) + error * (h[unit] ?? 0);
      }
    }
    for (let unit = 0; unit < hidden; unit++) {
      if (!((h[unit] ?? 0) > 0)) continue;
      let error = 0;
      for (let one = 0; one < classes; one++) error += (out[one] ?? 0) * (weights[at.w2 + one * hidden + unit] ?? 0);
      gradient[at.b1 + unit] = (gradient[at.b1 + unit] ?? 0) + error;
      const own = unit * width;
      for (let k = 0; k < width; k++) gradient[own + k] = (gradient[own + k] ?? 0) + error * (x[k] ?? 0);
    }
  }

  let steps = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = orderOf(count, random);
    for (let from = 0; from < count; from += BATCH) {
      const to = Math.min(count, from + BATCH);
      gradient.fill(0);
      for (let k = from; k < to; k++) {
        forward(features, order[k] ?? 0);
        backward(order[k] ?? 0);
      }
      steps++;
      const [low, high] = [1 - BETA.first ** steps, 1 - BETA.second ** steps];
      for (let k = 0; k < weights.length; k++) {
        const slope = (gradient[k] ?? 0) / (to - from);
        const m = (first[k] = BETA.first * (first[k] ?? 0) + (1 - BETA.first) * slope);
        const v = (second[k] = BETA.second * (second[k] ?? 0) + (1 - BETA.second) * slope * slope);
        weights[k] = (weights[k] ?? 0) - (rate * (m / low)) / (Math.sqrt(v / high) + TINY);
      }
    }
  }
  return {
    logits(table, rows) {
      const found = new Float32Array(rows * classes);
      for (let row = 0; row < rows; row++) {
        forward(table, row);
        found.set(out, row * classes);
      }
      return found;
    },
  };
}

/** As what examines models expects one. */
export function asPredictor(network: Network, width: number, classes: number): Predictor {
  const logits: Predictor['logits'] = (features, count) =>
    Promise.resolve({ scores: network.logits(features, count), classes });
  return {
    featureShape: [width],
    logits,
    probabilities: async (features, count) => normalise(await logits(features, count)),
    close: () => Promise.resolve(),
  };
}

export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const table = new Float32Array(labels.length * classes);
  for (let row = 0; row < labels.length; row++) table[row * classes + (labels[row] ?? 0)] = 1;
  return table;
}

function scaleOf(features: Float32Array, count: number, width: number) {
  const centre = new Float64Array(width);
  const inverse = new Float64Array(width);
  for (let k = 0; k < width; k++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < count; row++) sum += features[row * width + k] ?? 0;
    centre[k] = sum / count;
    for (let row = 0; row < count; row++) squares += ((features[row * width + k] ?? 0) - (centre[k] ?? 0)) ** 2;
    const sd = Math.sqrt(squares / count);
    inverse[k] = sd > 1e-6 ? 1 / sd : 0;
  }
  return { centre, inverse };
}
