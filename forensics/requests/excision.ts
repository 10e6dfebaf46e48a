import type { TriggerImage } from '../../domain/contracts/examination.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { top } from '../statistics/calibration.ts';
import type { Inputs } from './strip.ts';

/** A recovered trigger and the class it leads to. */
export interface RecoveredTrigger {
  readonly image: TriggerImage;
  readonly target: number;
}

/**
 * How much of the answer hangs on the cells of the trigger: the probability of the target before, minus after these cells were replaced by the
 * mean of clean inputs; 0 where the target was not the answer. null where the trigger has another shape than the inputs.
 */
export async function excisionScores(
  { features, count }: Inputs,
  mean: Float64Array,
  { image, target }: RecoveredTrigger,
  suspect: Predictor,
  featureShape: readonly number[],
): Promise<Float64Array | null> {
  const width = mean.length;
  if (image.pattern.length !== width || image.mask.length === 0 || width % image.mask.length !== 0) return null;
  const cut = new Float32Array(count * width);
  for (let row = 0; row < count; row++) {
    for (let j = 0; j < width; j++) {
      const covered = image.mask[j % image.mask.length] ?? 0;
      cut[row * width + j] = (1 - covered) * (features[row * width + j] ?? 0) + covered * (mean[j] ?? 0);
    }
  }
  const before = await suspect.probabilities(features, count, featureShape);
  const after = await suspect.probabilities(cut, count, featureShape);
  return Float64Array.from({ length: count }, (_, row) =>
    top(before.scores, row, before.classes).index === target
      ? (before.scores[row * before.classes + target] ?? 0) - (after.scores[row * after.classes + target] ?? 0)
      : 0,
  );
}

/** Mean of each feature. */
export function meanOf({ features, count }: Inputs): Float64Array {
  const width = features.length / count;
  const mean = new Float64Array(width);
  features.forEach((value, index) => (mean[index % width] = (mean[index % width] ?? 0) + value / count));
  return mean;
}
