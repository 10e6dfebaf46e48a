import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { sortedCopy } from '../statistics/description.ts';
import { winners } from '../statistics/calibration.ts';

/** Smallest probability told apart from zero; keeps the loss of a label that the model rules out finite (27.6). */
const SMALLEST = 1e-12;

/** A model's answers to labelled records. */
export interface LabelledAnswers {
  /** Row-major [count × classes]. */
  readonly probabilities: Float32Array;
  readonly classes: number;
  readonly predicted: Int32Array;
  /** −ln p(label), in nats, one per record. */
  readonly losses: Float64Array;
}

export async function answersTo(
  predictor: Predictor,
  columns: DatasetColumns,
  shape?: readonly number[],
): Promise<LabelledAnswers> {
  if (columns.count === 0)
    return { probabilities: new Float32Array(), classes: 0, predicted: new Int32Array(), losses: new Float64Array() };
  const { scores, classes } = await predictor.probabilities(columns.features, columns.count, shape);
  const losses = Float64Array.from(columns.labels, (label, row) => {
    const p = label >= 0 && label < classes ? (scores[row * classes + label] ?? 0) : 0;
    // A score that is not a number rules the label out as well.
    return -Math.log(p > SMALLEST ? Math.min(1, p) : SMALLEST);
  });
  return { probabilities: scores, classes, predicted: winners(scores, classes), losses };
}

/** The model's losses on a clean hold-out, ascending: the reference for the tainted-record threshold. */
export async function sortedLosses(
  predictor: Predictor,
  holdout: DatasetColumns,
  shape?: readonly number[],
): Promise<Float64Array> {
  return sortedCopy((await answersTo(predictor, holdout, shape)).losses);
}
