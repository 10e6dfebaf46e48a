import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { Evaluation } from '../../domain/contracts/golden.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { ece, top } from '../statistics/calibration.ts';
import { mean } from '../statistics/description.ts';
import { wilson } from '../statistics/interval.ts';
import { answersTo, type LabelledAnswers } from './loss.ts';

/** Figures of a model on labelled records. `shape` is needed only where the model leaves its input shape open. */
export async function evaluate(
  predictor: Predictor,
  columns: DatasetColumns,
  classes: readonly string[],
  datasetDigest: Digest,
  shape?: readonly number[],
): Promise<Evaluation> {
  return evaluationOf(await answersTo(predictor, columns, shape), columns, classes, datasetDigest);
}

/** The same from answers that are already there, so that one pass over the hold-out serves evaluation, profile and gates. */
export function evaluationOf(
  answers: LabelledAnswers,
  columns: DatasetColumns,
  classes: readonly string[],
  datasetDigest: Digest,
): Evaluation {
  const total = classes.map(() => 0);
  const right = classes.map(() => 0);
  let correct = 0;
  columns.labels.forEach((label, row) => {
    total[label] = (total[label] ?? 0) + 1;
    if (answers.predicted[row] !== label) return;
    correct++;
    right[label] = (right[label] ?? 0) + 1;
  });
  return {
    dataset: datasetDigest,
    accuracy: wilson(correct, columns.count),
    perClass: classes.map((name, index) => ({ class: name, recall: wilson(right[index] ?? 0, total[index] ?? 0) })),
    ece: finite(ece(answers.probabilities, columns.labels)),
    meanConfidence: finite(mean(confidences(answers, columns.count))),
  };
}

/** The top score of every record. */
export function confidences(answers: LabelledAnswers, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => top(answers.probabilities, row, answers.classes).value);
}

/** A model that answers with NaN is as badly calibrated as can be; JSON has no NaN. */
function finite(figure: number): number {
  return Number.isFinite(figure) ? figure : 1;
}
