import type { Weight } from '../onnx/weights.ts';

/** One tensor of both models, row-major, as float32: wider ones are rounded, narrower ones are exact. */
export interface TensorPair {
  readonly name: string;
  readonly shape: readonly number[];
  readonly suspect: Float32Array;
  readonly golden: Float32Array;
}

/** Tensors of one name and shape in both, in the suspect's order. */
export function pairsOf(suspect: readonly Weight[], golden: readonly Weight[]): readonly TensorPair[] {
  const references = new Map(golden.map((weight) => [weight.name, weight]));
  return suspect.flatMap(({ name, shape, values }) => {
    const reference = references.get(name);
    if (!reference || reference.shape.join() !== shape.join()) return [];
    return [{ name, shape, suspect: single(values), golden: single(reference.values) }];
  });
}

const single = (values: Weight['values']): Float32Array =>
  values instanceof Float32Array ? values : Float32Array.from(values);
