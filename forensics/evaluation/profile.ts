import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { PROFILE_QUANTILES, type Profile } from '../../domain/contracts/golden.ts';
import type { OnnxModel } from '../onnx/model.ts';
import { weightsOf } from '../onnx/weights.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { deviation, mean, norm, quantiles } from '../statistics/description.ts';
import { confidences } from './evaluation.ts';
import { answersTo } from './loss.ts';
import { streamProfileOf } from './stream-profile.ts';

/** What normal looks like, and the probe set that it was seen on. The caller stores inputs and outputs and adds their references. */
export interface Profiled {
  readonly profile: Omit<Profile, 'probes'>;
  readonly probes: {
    readonly count: number;
    /** One row of features per probe. */
    readonly inputs: readonly (readonly number[])[];
    /** One row of probabilities per probe. */
    readonly outputs: readonly (readonly number[])[];
  };
}

/** Enough to see a shift of a few percent, few enough to be asked often. */
export const PROBES = 256;

/** Profile on the clean hold-out; `model` is null for one that is no file and has no weights to tell of. Probes are its first `probes` records: the order of a data set carries no meaning. */
export async function profileOf(
  predictor: Predictor,
  model: OnnxModel | null,
  holdout: DatasetColumns,
  options: { shape?: readonly number[]; probes?: number } = {},
): Promise<Profiled> {
  const answers = await answersTo(predictor, holdout, options.shape);
  const { width } = holdout;
  const count = Math.min(options.probes ?? PROBES, holdout.count);
  const { scores } = await predictor.logits(holdout.features, holdout.count, options.shape);
  const mix = new Array<number>(answers.classes).fill(0);
  for (const predicted of answers.predicted) mix[predicted] = (mix[predicted] ?? 0) + 1 / holdout.count;
  const features = Array.from({ length: width }, (_, feature) =>
    described(Float64Array.from({ length: holdout.count }, (__, row) => holdout.features[row * width + feature] ?? 0)),
  );
  const stream = streamProfileOf(holdout, features, answers, scores);
  return {
    profile: {
      schema: 'lazaret.profile/v1',
      features,
      confidence: described(confidences(answers, holdout.count)),
      classMix: mix,
      loss: described(answers.losses),
      weights: (model ? weightsOf(model) : []).map((weight) => ({
        name: weight.name,
        shape: [...weight.shape],
        l2: norm(weight.values),
        mean: mean(weight.values),
        sd: deviation(weight.values),
      })),
      ...(stream ? { stream } : {}),
    },
    probes: {
      count,
      inputs: rows(holdout.features, count, width),
      outputs: rows(answers.probabilities, count, answers.classes),
    },
  };
}

function described(values: Float64Array): { mean: number; sd: number; quantiles: number[] } {
  return { mean: mean(values), sd: deviation(values), quantiles: quantiles(values, PROFILE_QUANTILES) };
}

function rows(table: Float32Array, count: number, width: number): number[][] {
  return Array.from({ length: count }, (_, row) => Array.from(table.subarray(row * width, (row + 1) * width)));
}
