import type { TensorPair } from '../../../forensics/weights/pair.ts';
import { createNormal, createRandom, type Random } from '../../../forensics/statistics/bootstrap.ts';
import { readModel } from '../../../forensics/onnx/reader.ts';
import { weightsOf } from '../../../forensics/onnx/weights.ts';
import { columnsOf, modelBytes } from '../vectors.ts';

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}
export type Network = readonly Tensor[];

export const copy = (network: Network): Network =>
  network.map((tensor) => ({ ...tensor, values: Float32Array.from(tensor.values) }));

export const paired = (suspect: Network, golden: Network): readonly TensorPair[] =>
  suspect.map((tensor, index) => ({
    ...tensor,
    suspect: tensor.values,
    golden: golden[index]?.values ?? tensor.values,
  }));

/** The convolutional network of test/vectors/forensics, trained on the digits. */
export const digitsNetwork = (name = 'digits-golden'): Network =>
  weightsOf(readModel(modelBytes(name))).map(({ name: tensor, shape, values }) => ({
    name: tensor,
    shape,
    values: Float32Array.from(values),
  }));

/** Matrices with units on the first axis, each with a bias, drawn as He initialisation draws them. */
export function randomNetwork(sizes: readonly number[], seed: number): Network {
  const normal = createNormal(createRandom(seed));
  return sizes.slice(1).flatMap((units, layer) => {
    const inputs = sizes[layer] ?? 1;
    const scale = Math.sqrt(2 / inputs);
    return [
      {
        name: `w${layer}`,
        shape: [units, inputs],
        values: Float32Array.from({ length: units * inputs }, () => normal() * scale),
      },
      { name: `b${layer}`, shape: [units], values: Float32Array.from({ length: units }, () => normal() * 0.1) },
    ];
  });
}

const digits = columnsOf('golden');

/** Trains a perceptron of one hidden layer on the digits by stochastic gradient descent, in place. */
export function train(
  network: Network,
  { steps, rate, random }: { steps: number; rate: number; random: Random },
): Network {
  const [w1, b1, w2, b2] = network.map(({ values }) => values) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [hidden, inputs, classes] = [b1.length, digits.width, b2.length];
  for (let step = 0; step < steps; step++) {
    const record = Math.floor(random() * digits.count);
    const x = digits.features.subarray(record * inputs, (record + 1) * inputs);
    const h = Float64Array.from(b1, (bias, unit) =>
      Math.max(
        0,
        x.reduce((sum, value, at) => sum + value * (w1[unit * inputs + at] ?? 0), bias),
      ),
    );
    const logits = Float64Array.from(b2, (bias, unit) =>
      h.reduce((sum, value, at) => sum + value * (w2[unit * hidden + at] ?? 0), bias),
    );
    const top = Math.max(...logits);
    const powers = logits.map((value) => Math.exp(value - top));
    const all = powers.reduce((sum, value) => sum + value, 0);
    const error = powers.map((value, unit) => value / all - Number(unit === digits.labels[record]));
    const back = h.map((value, at) =>
      value > 0 ? error.reduce((sum, e, unit) => sum + e * (w2[unit * hidden + at] ?? 0), 0) : 0,
    );
    for (let unit = 0; unit < classes; unit++) {
      b2[unit] = (b2[unit] ?? 0) - rate * (error[unit] ?? 0);
      for (let at = 0; at < hidden; at++)
        w2[unit * hidden + at] = (w2[unit * hidden + at] ?? 0) - rate * (error[unit] ?? 0) * (h[at] ?? 0);
    }
    for (let unit = 0; unit < hidden; unit++) {
      b1[unit] = (b1[unit] ?? 0) - rate * (back[unit] ?? 0);
      for (let at = 0; at < inputs; at++)
        w1[unit * inputs + at] = (w1[unit * inputs + at] ?? 0) - rate * (back[unit] ?? 0) * (x[at] ?? 0);
    }
  }
  return network;
}
