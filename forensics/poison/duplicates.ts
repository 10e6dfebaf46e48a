import { setImmediate as turn } from 'node:timers/promises';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { createRandom } from '../statistics/bootstrap.ts';
import { projected } from './projection.ts';
import { squaredDistance, type Table } from './kernel-judge.ts';

/** Two records that are nearer to each other than the data's own neighbours ever are. `second` comes later in the data set. */
export interface DuplicatePair {
  readonly first: number;
  readonly second: number;
  /** Euclidean distance; 0 for the same bytes. */
  readonly distance: number;
}

export interface Duplicates {
  /** Rows that were looked at; all of them up to MOST_RECORDS. */
  readonly rows: readonly number[];
  /** Distance below which two records count as one; 0 where only the same bytes do. */
  readonly radius: number;
  /** Median distance of a record to its tenth nearest: a few copies do not move it. */
  readonly typical: number;
  /** The nearest duplicate of each record that has one, as a pair. */
  readonly pairs: readonly DuplicatePair[];
}

/** The cost grows with the square of the records. */
export const MOST_RECORDS = 8_000;
/** The same search gives the same answer. */
const SEED = 1;
/**
 * Of the typical distance. Copies with a little noise or another encoding are nearer than that; chosen on digits and MNIST, where no two clean
 * records are.
 */
const NEAR = 0.2;
const TYPICAL_NEIGHBOUR = 10;
const TYPICAL_SAMPLE = 200;
/** Sketched distances err by a fifth; the candidates are measured exactly. */
const SLACK = 1.6;

// Named here because they run for every pair of records.
const { max, min, sqrt } = Math;

/** Exact and near duplicates by the data's own measure: the nearest neighbour of each record, where it is far nearer than records usually are. */
export async function findDuplicates(columns: DatasetColumns): Promise<Duplicates> {
  const random = createRandom(SEED);
  const step = max(1, columns.count / MOST_RECORDS);
  const rows = Array.from({ length: min(columns.count, MOST_RECORDS) }, (_, at) => Math.floor(at * step));
  const table: Table = { features: columns.features, width: columns.width };
  const features = new Float32Array(rows.length * columns.width);
  rows.forEach((row, at) =>
    features.set(columns.features.subarray(row * columns.width, (row + 1) * columns.width), at * columns.width),
  );
  const sketch = projected(features, rows.length, columns.width, random);
  const nearest = await nearestOf(sketch, rows.length);
  const typical = typicalDistance(sketch, rows.length);
  const radius = NEAR * typical;
  const pairs: DuplicatePair[] = [];
  nearest.rows.forEach((other, at) => {
    if (sqrt(nearest.distances[at] ?? 0) > SLACK * radius) return;
    const [first, second] = at < other ? [rows[at], rows[other]] : [rows[other], rows[at]];
    if (first === undefined || second === undefined) return;
    const distance = sqrt(squaredDistance(table, first, table, second));
    if (distance <= radius) pairs.push({ first, second, distance });
  });
  return { rows, radius, typical, pairs: unique(pairs) };
}

function typicalDistance(sketch: Table, count: number): number {
  const step = max(1, count / TYPICAL_SAMPLE);
  const tenths = Array.from({ length: min(count, TYPICAL_SAMPLE) }, (_, index) => {
    const at = Math.floor(index * step);
    const distances = Float64Array.from({ length: count }, (__, other) => squaredDistance(sketch, at, sketch, other));
    // The first is the record itself.
    return sqrt(distances.sort()[min(TYPICAL_NEIGHBOUR, count - 1)] ?? 0);
  });
  return median(Float64Array.from(tenths));
}

interface Nearest {
  readonly rows: Int32Array;
  /** Squared, in the sketch. */
  readonly distances: Float64Array;
}

async function nearestOf(sketch: Table, count: number): Promise<Nearest> {
  const rows = new Int32Array(count).fill(-1);
  const distances = new Float64Array(count).fill(Infinity);
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < a; b++) {
      const distance = squaredDistance(sketch, a, sketch, b);
      if (distance < (distances[a] ?? 0)) [distances[a], rows[a]] = [distance, b];
      if (distance < (distances[b] ?? 0)) [distances[b], rows[b]] = [distance, a];
    }
    // Heartbeats go out now and then.
    if (a % 500 === 499) await turn();
  }
  return { rows, distances };
}

function unique(pairs: readonly DuplicatePair[]): readonly DuplicatePair[] {
  const seen = new Map(pairs.map((pair) => [`${pair.first} ${pair.second}`, pair]));
  return [...seen.values()].sort((a, b) => a.distance - b.distance || a.first - b.first || a.second - b.second);
}

function median(values: Float64Array): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[sorted.length >> 1] ?? 0;
}
