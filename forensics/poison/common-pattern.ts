import type { Random } from '../statistics/bootstrap.ts';
import { squaredDistance, type LabelledRecords } from './kernel-judge.ts';

/** Records of one label, and for each the other class that it looks like. */
export interface Group {
  readonly rows: readonly number[];
  readonly looksLike: readonly number[];
}

// Named here because they run for every feature.
const { floor, max, min } = Math;

const NEIGHBOURS = 5;
/** More records change the mean by less than the noise of the neighbours. */
const AVERAGED = 60;

/**
 * What a group has that its like have not, one number per feature: the mean of record − its nearest records of the class it looks like. For a
 * patch that is the patch, for a blend the picture; for a way of writing it is a blur. null where nothing is there to compare with.
 */
export function commonPattern(records: LabelledRecords, group: Group): Float64Array | null {
  const { features, width, labels } = records;
  const inside = new Set(group.rows);
  const byClass = Array.from({ length: records.classes }, (): number[] => []);
  labels.forEach((label, row) => {
    if (!inside.has(row)) byClass[label]?.push(row);
  });
  const pattern = new Float64Array(width);
  const step = max(1, group.rows.length / AVERAGED);
  let averaged = 0;
  for (let place = 0; place < group.rows.length; place += step) {
    const at = floor(place);
    const row = group.rows[at] ?? 0;
    const like = byClass[group.looksLike[at] ?? -1] ?? [];
    if (like.length < NEIGHBOURS) continue;
    for (const other of nearest(records, row, like))
      for (let j = 0; j < width; j++)
        pattern[j] = (pattern[j] ?? 0) + (features[row * width + j] ?? 0) - (features[other * width + j] ?? 0);
    averaged++;
  }
  return averaged === 0 ? null : pattern.map((sum) => sum / (averaged * NEIGHBOURS));
}

function nearest(records: LabelledRecords, row: number, among: readonly number[]): readonly number[] {
  return among
    .map((other) => ({ other, distance: squaredDistance(records.sketch, row, records.sketch, other) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEIGHBOURS)
    .map(({ other }) => other);
}

/** Records with a pattern added (sign 1) or taken away (−1), inside the range of the data; row-major [rows × width]. */
export function laidOn(
  { features, width, range }: LabelledRecords,
  rows: readonly number[],
  pattern: Float64Array,
  sign: 1 | -1,
): Float32Array {
  const laid = new Float32Array(rows.length * width);
  rows.forEach((row, at) => {
    for (let j = 0; j < width; j++)
      laid[at * width + j] = min(
        range.high,
        max(range.low, (features[row * width + j] ?? 0) + sign * (pattern[j] ?? 0)),
      );
  });
  return laid;
}

/** Records of other labels, drawn at random, to lay a pattern on. */
export function hostsFor(records: LabelledRecords, label: number, most: number, random: Random): readonly number[] {
  return [...records.labels.keys()]
    .filter((row) => records.labels[row] !== label)
    .map((row) => ({ row, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, most)
    .map(({ row }) => row);
}
