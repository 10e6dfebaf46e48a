/** Out-of-sample class probabilities, row-major [records × classes]: each row by a model that was not trained on that record. */
export interface Probabilities {
  readonly values: Float32Array | Float64Array;
  readonly records: number;
  readonly classes: number;
}

/** Class indices 0..classes−1, one per record. */
export type Labels = Int32Array;

export type LabelArraysFault =
  'too-few-classes' | 'no-records' | 'different-lengths' | 'not-finite' | 'outside-range' | 'row-sum' | 'label-range';

/** Arrays that cannot be examined. The message says what was expected, and where the first difference is. */
export class LabelArraysRefused extends Error {
  readonly fault: LabelArraysFault;
  constructor(fault: LabelArraysFault, message: string) {
    super(message);
    this.name = 'LabelArraysRefused';
    this.fault = fault;
  }
}

/** How far a row may be from 1: half-precision files with a thousand classes stay below it, scores and logits do not. */
export const ROW_SUM_TOLERANCE = 0.01;

/** Throws LabelArraysRefused unless every row is a distribution over the classes and every label one of them. */
export function checkLabelArrays(p: Probabilities, labels: Labels): void {
  const { values, records, classes } = p;
  if (classes < 2) refuse('too-few-classes', `expected at least 2 columns (classes), got ${classes}`);
  if (records < 1) refuse('no-records', 'expected at least 1 row (record), got none');
  if (labels.length !== records)
    refuse(
      'different-lengths',
      `expected one label per row of probabilities: ${records} rows, ${labels.length} labels`,
    );
  for (let record = 0; record < records; record++) {
    let sum = 0;
    for (let at = record * classes; at < (record + 1) * classes; at++) {
      const value = values[at] ?? Number.NaN;
      if (!Number.isFinite(value))
        refuse('not-finite', `expected finite probabilities, got ${value} in row ${record}, column ${at % classes}`);
      if (value < -1e-6 || value > 1 + ROW_SUM_TOLERANCE)
        refuse(
          'outside-range',
          `expected probabilities from 0 to 1, got ${value} in row ${record}, column ${at % classes}`,
        );
      sum += value;
    }
    if (Math.abs(sum - 1) > ROW_SUM_TOLERANCE)
      refuse('row-sum', `expected every row of probabilities to sum to 1, row ${record} sums to ${sum.toPrecision(6)}`);
    const label = labels[record] ?? -1;
    if (label < 0 || label >= classes)
      refuse(
        'label-range',
        `expected labels from 0 to ${classes - 1} (one per column), got ${label} for record ${record}`,
      );
  }
}

function refuse(fault: LabelArraysFault, message: string): never {
  throw new LabelArraysRefused(fault, message);
}
