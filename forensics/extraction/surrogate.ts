import { createNormal, type Random } from '../statistics/bootstrap.ts';

/** Inputs with the distributions that the served model answered, both row-major. */
export interface AnsweredInputs {
  readonly features: Float32Array;
  readonly answers: Float32Array;
  readonly count: number;
  readonly width: number;
  readonly classes: number;
}

/** A copy that an extractor could have trained from what was answered to them. */
export interface Surrogate {
  /** The winning class of each input, row-major. */
  classesOf(features: Float32Array): Int32Array;
}

const HIDDEN = 32;
const EPOCHS = 40;
const BATCH = 32;
const RATE = 0.01;
const DECAY = { first: 0.9, second: 0.999 } as const;
const TINY = 1e-8;

// Named here because they run for every weight of every step.
const { exp, max, sqrt } = Math;

/**
 * One hidden layer of 32 units trained on the answers as they were given, softmax for softmax (F. Tramèr et al., USENIX Security 2016; with
 * whole distributions it learns as in distillation, Hinton et al. 2015). Adam (Kingma and Ba 2015), small batches, features scaled by their
 * deviation. It is what anybody would try first: a patient extractor gets more, so the fidelity is a lower bound.
 */
export function trainSurrogate(pairs: AnsweredInputs, random: Random): Surrogate {
  const { features, answers, count, width, classes } = pairs;
  const scale = scaleOf(features, width, count);
  const layers = [layer(width, HIDDEN, random), layer(HIDDEN, classes, random)] as const;
  const order = Array.from({ length: count }, (_, row) => row);
  let steps = 0;
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    for (let at = count - 1; at > 0; at--) {
      const other = Math.floor(random() * (at + 1));
      [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
    }
    for (let from = 0; from < count; from += BATCH) {
      const rows = order.slice(from, from + BATCH);
      for (const row of rows) {
        const input = scaled(features, row, width, scale);
        const hidden = active(forward(layers[0], input));
        const given = softmax(forward(layers[1], hidden));
        // Cross entropy with soft labels: the gradient at the logits is what was said less what was answered.
        const error = given.map((p, label) => p - (answers[row * classes + label] ?? 0));
        const back = backward(layers[1], hidden, error, rows.length);
        backward(
          layers[0],
          input,
          back.map((value, unit) => ((hidden[unit] ?? 0) > 0 ? value : 0)),
          rows.length,
        );
      }
      steps++;
      for (const each of layers) step(each, steps);
    }
  }
  return {
    classesOf: (others) =>
      Int32Array.from({ length: others.length / width }, (_, row) => {
        const logits = forward(layers[1], active(forward(layers[0], scaled(others, row, width, scale))));
        return logits.reduce((best, value, label) => (value > (logits[best] ?? 0) ? label : best), 0);
      }),
  };
}

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  /** Weights [outputs × inputs], then one bias for each output. */
  readonly values: Float64Array;
  readonly gradient: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

function layer(inputs: number, outputs: number, random: Random): Layer {
  const normal = createNormal(random);
  const size = outputs * inputs + outputs;
  const values = new Float64Array(size);
  for (let at = 0; at < outputs * inputs; at++) values[at] = normal() * sqrt(2 / inputs);
  const zeros = () => new Float64Array(size);
  return { inputs, outputs, values, gradient: zeros(), first: zeros(), second: zeros() };
}

function forward({ inputs, outputs, values }: Layer, input: Float64Array): Float64Array {
  const out = new Float64Array(outputs);
  for (let unit = 0; unit < outputs; unit++) {
    let sum = values[outputs * inputs + unit] ?? 0;
    for (let j = 0; j < inputs; j++) sum += (values[unit * inputs + j] ?? 0) * (input[j] ?? 0);
    out[unit] = sum;
  }
  return out;
}

/** Adds to the gradient; answers the error at the inputs. */
function backward(
  { inputs, outputs, values, gradient }: Layer,
  input: Float64Array,
  error: Float64Array,
  rows: number,
): Float64Array {
  const back = new Float64Array(inputs);
  for (let unit = 0; unit < outputs; unit++) {
    const own = error[unit] ?? 0;
    if (own === 0) continue;
    const bias = outputs * inputs + unit;
    gradient[bias] = (gradient[bias] ?? 0) + own / rows;
    for (let j = 0; j < inputs; j++) {
      const at = unit * inputs + j;
      back[j] = (back[j] ?? 0) + own * (values[at] ?? 0);
      gradient[at] = (gradient[at] ?? 0) + (own * (input[j] ?? 0)) / rows;
    }
  }
  return back;
}

function step({ values, gradient, first, second }: Layer, steps: number): void {
  const warm = RATE * (sqrt(1 - DECAY.second ** steps) / (1 - DECAY.first ** steps));
  for (let at = 0; at < values.length; at++) {
    const slope = gradient[at] ?? 0;
    const mean = DECAY.first * (first[at] ?? 0) + (1 - DECAY.first) * slope;
    const square = DECAY.second * (second[at] ?? 0) + (1 - DECAY.second) * slope * slope;
    first[at] = mean;
    second[at] = square;
    values[at] = (values[at] ?? 0) - (warm * mean) / (sqrt(square) + TINY);
    gradient[at] = 0;
  }
}

function active(values: Float64Array): Float64Array {
  return values.map((value) => max(0, value));
}

function softmax(logits: Float64Array): Float64Array {
  const top = logits.reduce((most, value) => max(most, value), -Infinity);
  const powers = logits.map((value) => exp(value - top));
  const sum = powers.reduce((total, value) => total + value, 0);
  return powers.map((power) => power / sum);
}

interface Scale {
  readonly mean: Float64Array;
  /** 1 / deviation of all features together: pixels that are always dark stay small. */
  readonly factor: number;
}

function scaleOf(features: Float32Array, width: number, count: number): Scale {
  const mean = new Float64Array(width);
  features.forEach((value, index) => (mean[index % width] = (mean[index % width] ?? 0) + value / count));
  let square = 0;
  features.forEach((value, index) => (square += (value - (mean[index % width] ?? 0)) ** 2));
  return { mean, factor: 1 / (sqrt(square / max(1, features.length)) || 1) };
}

function scaled(features: Float32Array, row: number, width: number, { mean, factor }: Scale): Float64Array {
  const out = new Float64Array(width);
  for (let j = 0; j < width; j++) out[j] = ((features[row * width + j] ?? 0) - (mean[j] ?? 0)) * factor;
  return out;
}
