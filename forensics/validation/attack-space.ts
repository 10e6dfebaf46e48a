import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { Robustness } from '../../domain/contracts/gates.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { createRandom, type Random } from '../statistics/bootstrap.ts';
import { recordsAt, sample } from './sample.ts';

/** A record as a grid: channels × rows × columns. A record that is no picture is one row of one channel. */
export interface Grid {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  /** Have columns that stand beside each other anything to do with each other? */
  readonly picture: boolean;
}

export function gridOf(shape: readonly number[]): Grid {
  const width = shape.reduce((product, dim) => product * dim, 1);
  if (shape.length < 2) return { channels: 1, rows: 1, columns: width, picture: false };
  const [rows, columns] = [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  return { channels: width / (rows * columns), rows, columns, picture: true };
}

/** What is attacked: records with their labels, how far a feature may be moved, and between which bounds it stays. */
export interface AttackSpace {
  readonly ids: readonly string[];
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly width: number;
  readonly shape: readonly number[];
  readonly grid: Grid;
  /** Per feature. */
  readonly low: Float32Array;
  readonly high: Float32Array;
  readonly step: Float32Array;
}

/**
 * A seeded sample of the hold-out. The range of a feature is what the hold-out shows: of all pixels together in a picture, of each column apart
 * in a table, where they have units of their own.
 */
export function attackSpace(
  columns: DatasetColumns,
  shape: readonly number[],
  { epsilon, records, seed }: Robustness,
): AttackSpace {
  const { features, width } = columns;
  const chosen = recordsAt(columns, sample(columns.count, records, createRandom(seed)));
  const grid = gridOf(shape);
  const low = new Float32Array(width).fill(Infinity);
  const high = new Float32Array(width).fill(-Infinity);
  features.forEach((value, index) => {
    const feature = index % width;
    low[feature] = Math.min(low[feature] ?? Infinity, value);
    high[feature] = Math.max(high[feature] ?? -Infinity, value);
  });
  if (grid.picture) {
    low.fill(low.reduce((least, value) => Math.min(least, value), Infinity));
    high.fill(high.reduce((most, value) => Math.max(most, value), -Infinity));
  }
  return {
    ids: chosen.ids,
    features: chosen.features,
    labels: chosen.labels,
    count: chosen.count,
    width,
    shape,
    grid,
    low,
    high,
    step: low.map((value, feature) => epsilon * ((high[feature] ?? 0) - value)),
  };
}

/** Of every record its own stream, so that what one model withstands does not change the luck of the next record. */
export function streams(seed: number, count: number): readonly Random[] {
  return Array.from({ length: count }, (_, record) => createRandom(seed ^ Math.imul(record + 1, 0x9e3779b1)));
}

/**
 * Score of the label less the best other score, one per record: not positive where the answer is wrong. A score that is not a number counts as
 * a wrong answer.
 */
export async function margins(
  model: Predictor,
  features: Float32Array,
  labels: ArrayLike<number>,
  shape: readonly number[],
): Promise<Float64Array> {
  const { scores, classes } = await model.logits(features, labels.length, shape);
  return Float64Array.from({ length: labels.length }, (_, row) => {
    const label = labels[row] ?? -1;
    let best = -Infinity;
    for (let index = 0; index < classes; index++)
      if (index !== label) best = Math.max(best, scores[row * classes + index] ?? NaN);
    const margin = (scores[row * classes + label] ?? NaN) - best;
    return Number.isNaN(margin) || label < 0 || label >= classes ? -Infinity : margin;
  });
}
