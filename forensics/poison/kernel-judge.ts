import type { Random } from '../statistics/bootstrap.ts';
import { backward, cholesky, forward } from './cholesky.ts';

// Named here because they run for every pair of records.
const { exp, floor } = Math;

/** Numbers, row-major [count × width]. */
export interface Table {
  readonly features: Float32Array;
  readonly width: number;
}

/** The records as a judge compares them; `of` gives others the same way, row-major [count × table.width]. */
export interface View {
  readonly table: Table;
  of(features: Float32Array): Float32Array;
}

/** Labelled records, row-major [count × width]; labels are 0 … classes − 1. */
export interface LabelledRecords extends Table {
  readonly labels: Int32Array;
  readonly count: number;
  readonly classes: number;
  /** Least and greatest feature. */
  readonly range: { readonly low: number; readonly high: number };
  /** The records in few dimensions with about the same distances, for neighbours and clusters. */
  readonly sketch: Table;
  readonly view: View;
}

/**
 * A second opinion on every label, made from the records alone: kernel ridge regression on the one-hot labels (C. Saunders et al., ICML 1998)
 * over a Nyström basis (C. Williams and M. Seeger, NIPS 2000). It is linear in its records, so that leaving any group of them out costs one
 * factorisation, and leaving a single one out a division (N. Allen, Technometrics 16 (1974): the PRESS residual).
 */
export interface KernelJudge {
  readonly records: LabelledRecords;
  /**
   * Scores [rows.length × classes], near 1 for the label that a record's like carry: by the records without the group `left`, and without the
   * judged record itself.
   */
  without(left: readonly number[], rows: readonly number[]): Float64Array;
  /** The same, with a record's own weight taken from the whole table: a little too small beside a group that is left out, and far cheaper. */
  nearlyWithout(left: readonly number[], rows: readonly number[]): Float64Array;
  /** The same of records that are not in the table, row-major. */
  ofOthers(left: readonly number[], features: Float32Array): Float64Array;
}

/** How fine a judge is: `landmarks` of the basis cost their cube, `ridge` keeps few records from deciding much. */
export interface Fineness {
  readonly landmarks: number;
  readonly ridge: number;
}
/** Chosen on digits and MNIST: more landmarks, or a ridge between .01 and .1, moved the accuracy by less than half a point. */
export const PLAIN: Fineness = { landmarks: 256, ridge: 0.03 };
/** Keeps the landmarks' own matrix positive definite where two of them are equal. */
const JITTER = 1e-6;
const SCALE_SAMPLE = 500;

export function createKernelJudge(
  records: LabelledRecords,
  random: Random,
  { landmarks: most, ridge }: Fineness = PLAIN,
): KernelJudge {
  const { count, classes, labels } = records;
  const landmarks = drawn(count, Math.min(most, count), random);
  const size = landmarks.length;
  const basis = nystroem(records, landmarks);
  const coordinates = basis.of(records.view.table.features);
  const gram = new Float64Array(size * size);
  const sums = new Float64Array(classes * size);
  for (let row = 0; row < count; row++) {
    outer(gram, coordinates, row, size, 1);
    addRow(sums, (labels[row] ?? 0) * size, coordinates, row, size, 1);
  }

  let leverages: Float64Array | null = null;
  return {
    records,
    without(left, rows) {
      const { factor, weights } = solved(left);
      return judged(rows, new Set(left), (row) => leverageOf(row, factor), weights);
    },
    nearlyWithout(left, rows) {
      leverages ??= every();
      const held = leverages;
      return judged(rows, new Set(left), (row) => held[row] ?? 0, solved(left).weights);
    },
    ofOthers(left, features) {
      const { weights } = solved(left);
      const others = basis.of(records.view.of(features));
      const scores = new Float64Array((features.length / records.width) * classes);
      for (let at = 0; at < scores.length; at++) {
        const row = floor(at / classes);
        scores[at] = dot(others.subarray(row * size, (row + 1) * size), weights[at % classes] ?? others);
      }
      return scores;
    },
  };

  function solved(left: readonly number[]): { factor: Float64Array; weights: readonly Float64Array[] } {
    const a = Float64Array.from(gram);
    const b = Float64Array.from(sums);
    for (const row of left) {
      outer(a, coordinates, row, size, -1);
      addRow(b, (labels[row] ?? 0) * size, coordinates, row, size, -1);
    }
    for (let i = 0; i < size; i++) a[i * size + i] = (a[i * size + i] ?? 0) + ridge;
    const factor = cholesky(a, size);
    if (!factor) throw new Error('the ridge keeps the matrix positive definite');
    const weights = Array.from({ length: classes }, (_, label) => {
      const weight = b.slice(label * size, (label + 1) * size);
      forward(factor, size, weight);
      backward(factor, size, weight);
      return weight;
    });
    return { factor, weights };
  }

  function every(): Float64Array {
    const { factor } = solved([]);
    return Float64Array.from({ length: count }, (_, row) => leverageOf(row, factor));
  }

  function leverageOf(row: number, factor: Float64Array): number {
    const own = coordinates.slice(row * size, (row + 1) * size);
    forward(factor, size, own);
    return dot(own, own);
  }

  function judged(
    rows: readonly number[],
    left: ReadonlySet<number>,
    leverageIn: (row: number) => number,
    weights: readonly Float64Array[],
  ): Float64Array {
    const scores = new Float64Array(rows.length * classes);
    rows.forEach((row, at) => {
      const record = coordinates.subarray(row * size, (row + 1) * size);
      const leverage = left.has(row) ? 0 : leverageIn(row);
      for (let label = 0; label < classes; label++) {
        const score = dot(record, weights[label] ?? record);
        const truth = labels[row] === label ? 1 : 0;
        scores[at * classes + label] = score - ((truth - score) * leverage) / (1 - leverage);
      }
    });
    return scores;
  }
}

/** Coordinates [rows × landmarks] whose inner products are those of the Gaussian kernel on the landmarks' span. */
interface Basis {
  of(features: Float32Array): Float64Array;
}

function nystroem({ view, count }: LabelledRecords, landmarks: readonly number[]): Basis {
  const records = view.table;
  const { width } = records;
  const size = landmarks.length;
  const sample = Array.from({ length: Math.min(SCALE_SAMPLE, count) }, (_, at) =>
    floor((at * count) / Math.min(SCALE_SAMPLE, count)),
  );
  const distances = sample.flatMap((row) => landmarks.map((other) => squaredDistance(records, row, records, other)));
  const scale = median(Float64Array.from(distances)) || 1;
  const kernel = (table: Table, row: number, other: number) =>
    exp(-squaredDistance(table, row, records, other) / scale);
  const own = new Float64Array(size * size);
  landmarks.forEach((row, i) => {
    for (let j = 0; j <= i; j++) own[i * size + j] = kernel(records, row, landmarks[j] ?? 0) + (i === j ? JITTER : 0);
  });
  const factor = cholesky(own, size);
  if (!factor) throw new Error('the jitter keeps the matrix positive definite');
  return {
    of(features) {
      const table = { features, width };
      const rows = features.length / width;
      const coordinates = new Float64Array(rows * size);
      for (let row = 0; row < rows; row++) {
        for (let j = 0; j < size; j++) coordinates[row * size + j] = kernel(table, row, landmarks[j] ?? 0);
        forward(factor, size, coordinates, row * size);
      }
      return coordinates;
    },
  };
}

/** Between row `a` of one table and row `b` of another of the same width. */
export function squaredDistance(one: Table, a: number, other: Table, b: number): number {
  const { features: left, width } = one;
  const right = other.features;
  let sum = 0;
  for (let j = 0; j < width; j++) {
    const difference = (left[a * width + j] ?? 0) - (right[b * width + j] ?? 0);
    sum += difference * difference;
  }
  return sum;
}

/** Adds `sign` times the outer product of a row, lower half only. */
function outer(matrix: Float64Array, basis: Float64Array, row: number, size: number, sign: 1 | -1): void {
  const at = row * size;
  for (let i = 0; i < size; i++) {
    const factor = sign * (basis[at + i] ?? 0);
    for (let j = 0; j <= i; j++) matrix[i * size + j] = (matrix[i * size + j] ?? 0) + factor * (basis[at + j] ?? 0);
  }
}

function addRow(sums: Float64Array, from: number, basis: Float64Array, row: number, size: number, sign: 1 | -1): void {
  for (let j = 0; j < size; j++) sums[from + j] = (sums[from + j] ?? 0) + sign * (basis[row * size + j] ?? 0);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] ?? 0) * (b[k] ?? 0);
  return sum;
}

function median(values: Float64Array): number {
  return values.sort()[values.length >> 1] ?? 0;
}

/** `size` of 0 … count − 1 without replacement, in the order drawn. */
export function drawn(count: number, size: number, random: Random): readonly number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let at = 0; at < size; at++) {
    const other = at + floor(random() * (count - at));
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order.slice(0, size);
}
