import type { Tensor } from '../model/tensors.ts';
import type { Answer } from '../sentinels/event.ts';
import { elementsIn } from '../model/tensors.ts';

/** What the sentinels see of a request, record by record: the first input as numbers, and the scores with their softmax where they are no distribution. */
export function answersOf(
  {
    inputs,
    scores,
    batch,
  }: { readonly inputs: readonly Tensor[]; readonly scores: ArrayLike<number>; readonly batch: number },
  most: number,
): readonly Answer[] {
  const [input] = inputs;
  const classes = scores.length / batch;
  if (!input || input.datatype === 'BYTES' || input.datatype === 'FP16' || !Number.isInteger(classes) || classes < 1)
    return [];
  const values = input.data as ArrayLike<number | bigint>;
  const width = elementsIn(input.shape) / batch;
  return Array.from({ length: Math.min(batch, most) }, (_, row) => {
    const features =
      values instanceof Float32Array
        ? values.subarray(row * width, (row + 1) * width)
        : Float32Array.from({ length: width }, (__, at) => Number(values[row * width + at]));
    const own = Float64Array.from({ length: classes }, (__, at) => scores[row * classes + at] ?? NaN);
    const probabilities = distribution(own);
    let predicted = 0;
    for (let at = 1; at < classes; at += 1)
      if ((probabilities[at] ?? 0) > (probabilities[predicted] ?? 0)) predicted = at;
    return { features, scores: own, probabilities, predicted, confidence: probabilities[predicted] ?? 0 };
  });
}

/** Deviation of a row's sum from 1 that float32 arithmetic explains. */
const ROUNDING = 1e-3;

function distribution(scores: Float64Array): Float64Array {
  let sum = 0;
  let most = -Infinity;
  let positive = true;
  for (const score of scores) {
    sum += score;
    positive &&= score >= 0;
    if (score > most) most = score;
  }
  if (positive && Math.abs(sum - 1) < ROUNDING) return scores;
  const powers = scores.map((score) => Math.exp(score - most));
  let total = 0;
  for (const power of powers) total += power;
  return powers.map((power) => power / total);
}
