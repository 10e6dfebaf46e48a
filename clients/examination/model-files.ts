import { existsSync, readFileSync, statSync } from 'node:fs';
import { NpyRefused } from '../../evidence/npy/header.ts';
import { arrayOf as npyArrayOf } from './npy-arrays.ts';

/** Records as an examination takes them: row-major, `shape` is that of one record. */
export interface RecordTable {
  readonly features: Float32Array;
  readonly count: number;
  readonly shape: readonly number[];
}

export interface LabelledTable extends RecordTable {
  readonly labels: Int32Array;
}

/** What the caller named and cannot be used; the message says what was expected. */
export class ModelFilesRefused extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ModelFilesRefused';
  }
}

export function readModelFile(file: string): Uint8Array {
  if (!existsSync(file)) throw new ModelFilesRefused(`there is no model at ${file}`);
  if (!statSync(file).isFile()) throw new ModelFilesRefused(`${file}: expected one ONNX file`);
  return readFileSync(file);
}

/** Records from a `.npy` file whose first dimension counts them. Numbers are taken as they are: scale them as the model wants them. */
export function readRecords(file: string): RecordTable {
  const { shape, values } = arrayOf(file);
  const [count, ...record] = shape;
  if (count === undefined || record.length === 0 || count === 0)
    throw new ModelFilesRefused(`${file}: expected an array (records, …), got (${shape.join(', ')})`);
  const features = Float32Array.from(values as ArrayLike<number>, Number);
  if (!features.every(Number.isFinite)) throw new ModelFilesRefused(`${file}: expected finite numbers`);
  return { features, count, shape: record };
}

/** Class indices from a `.npy` file, one for each record. */
export function readClasses(file: string, records: number): Int32Array {
  const { shape, kind, values } = arrayOf(file);
  if (shape.length !== 1 || kind !== 'integer' || values.length !== records)
    throw new ModelFilesRefused(
      `${file}: expected ${records} whole numbers, one for each record, got ${kind} (${shape.join(', ')})`,
    );
  return Int32Array.from(values as ArrayLike<number>, Number);
}

function arrayOf(file: string) {
  if (!existsSync(file)) throw new ModelFilesRefused(`there is no file ${file}`);
  try {
    return npyArrayOf(file);
  } catch (error) {
    if (error instanceof NpyRefused) throw new ModelFilesRefused(error.message, { cause: error });
    throw error;
  }
}
