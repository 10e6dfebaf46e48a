import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { Random } from '../statistics/bootstrap.ts';

/** Row numbers without repetition: the first `wanted` of a shuffle (Fisher and Yates). */
export function sample(count: number, wanted: number, random: Random): readonly number[] {
  const order = Array.from({ length: count }, (_, row) => row);
  const size = Math.min(wanted, count);
  for (let index = 0; index < size; index++) {
    const other = index + Math.floor(random() * (count - index));
    [order[index], order[other]] = [order[other] ?? 0, order[index] ?? 0];
  }
  return order.slice(0, size);
}

/** Records by their row numbers. */
export function recordsAt(columns: DatasetColumns, rows: readonly number[]): DatasetColumns {
  const { width } = columns;
  const features = new Float32Array(rows.length * width);
  rows.forEach((row, index) => features.set(columns.features.subarray(row * width, (row + 1) * width), index * width));
  const at = (all: readonly string[]) => rows.map((row) => all[row] ?? '');
  return {
    count: rows.length,
    width,
    ids: at(columns.ids),
    features,
    labels: Int32Array.from(rows, (row) => columns.labels[row] ?? -1),
    sources: at(columns.sources),
    batches: at(columns.batches),
  };
}
