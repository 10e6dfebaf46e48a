import { readFileSync } from 'node:fs';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';

/** The files of test/vectors/forensics, see the README there. */
const HERE = new URL('../vectors/forensics/', import.meta.url);

export function modelBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}.onnx`, HERE)));
}

interface Part {
  count: number;
  pixels: string;
  labels: string;
  batches?: string[];
  tainted?: number[];
  attack?: number[];
}
interface Digits {
  width: number;
  shape: number[];
  scale: number;
  target: number;
  golden: Part;
  new: Part;
  holdout: Part;
  window: Part;
}

export const digits: Digits = JSON.parse(readFileSync(new URL('digits.json', HERE), 'utf8')) as Digits;
export const DIGIT_CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

export function columnsOf(name: 'golden' | 'new' | 'holdout' | 'window'): DatasetColumns {
  const part = digits[name];
  const batches = part.batches ?? new Array<string>(part.count).fill(name);
  return {
    count: part.count,
    width: digits.width,
    ids: Array.from({ length: part.count }, (_, index) => `${name}-${String(index).padStart(4, '0')}`),
    features: Float32Array.from(Buffer.from(part.pixels, 'base64'), (pixel) => pixel / digits.scale),
    labels: Int32Array.from(Buffer.from(part.labels, 'base64')),
    sources: batches.map((batch) => (batch === '2026-02-b' ? 'kiosk' : 'scanner')),
    batches,
  };
}

/** Both, one after the other: what the suspect was trained on. */
export function joined(first: DatasetColumns, second: DatasetColumns): DatasetColumns {
  const features = new Float32Array(first.features.length + second.features.length);
  features.set(first.features);
  features.set(second.features, first.features.length);
  return {
    count: first.count + second.count,
    width: first.width,
    ids: [...first.ids, ...second.ids],
    features,
    labels: Int32Array.from([...first.labels, ...second.labels]),
    sources: [...first.sources, ...second.sources],
    batches: [...first.batches, ...second.batches],
  };
}

/** Rows of a table by index. */
export function rowsAt(columns: DatasetColumns, rows: readonly number[]): DatasetColumns {
  const features = new Float32Array(rows.length * columns.width);
  rows.forEach((row, index) =>
    features.set(columns.features.subarray(row * columns.width, (row + 1) * columns.width), index * columns.width),
  );
  return {
    count: rows.length,
    width: columns.width,
    ids: rows.map((row) => columns.ids[row] ?? ''),
    features,
    labels: Int32Array.from(rows, (row) => columns.labels[row] ?? 0),
    sources: rows.map((row) => columns.sources[row] ?? ''),
    batches: rows.map((row) => columns.batches[row] ?? ''),
  };
}
