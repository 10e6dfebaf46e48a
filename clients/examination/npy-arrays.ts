import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { NpyRefused } from '../../evidence/npy/header.ts';
import { readNpy, type NpyArray } from '../../evidence/npy/array.ts';
import type { Labels, Probabilities } from '../../forensics/labels/arrays.ts';

/** One call to the operating system takes at most 2 GiB. */
const READ_BYTES = 2 ** 30;

/** Probabilities from a `.npy` file: two dimensions, floating. Throws NpyRefused, or the file system's error. */
export function readProbabilities(file: string): Probabilities {
  const { shape, kind, values } = arrayOf(file);
  const [records, classes] = shape;
  if (shape.length !== 2 || records === undefined || classes === undefined)
    throw new NpyRefused(`${file}: expected probabilities of shape (records, classes), got (${shape.join(', ')})`);
  if (kind !== 'float' || !(values instanceof Float32Array || values instanceof Float64Array))
    throw new NpyRefused(`${file}: expected floating probabilities (f2, f4 or f8), got whole numbers`);
  return { values, records, classes };
}

/** Labels from a `.npy` file: one dimension (or a single column), whole numbers. Throws NpyRefused, or the file system's error. */
export function readLabels(file: string): Labels {
  const { shape, kind, values } = arrayOf(file);
  if (shape.length !== 1 && !(shape.length === 2 && shape[1] === 1))
    throw new NpyRefused(`${file}: expected labels of shape (records,), got (${shape.join(', ')})`);
  if (kind !== 'integer')
    throw new NpyRefused(`${file}: expected labels as whole numbers (i1 to i8, u1 to u8), got floating ones`);
  const labels = new Int32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const value = Number(values[at]);
    if (value < -(2 ** 31) || value >= 2 ** 31)
      throw new NpyRefused(`${file}: expected class indices, got ${value} at ${at}`);
    labels[at] = value;
  }
  return labels;
}

/** The array of a `.npy` file of any size. Throws NpyRefused with the file's name, or the file system's error. */
export function arrayOf(file: string): NpyArray {
  try {
    return readNpy(bytesOf(file));
  } catch (error) {
    if (error instanceof NpyRefused) throw new NpyRefused(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

function bytesOf(file: string): Uint8Array {
  const descriptor = openSync(file, 'r');
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new NpyRefused('expected a plain file');
    const bytes = new Uint8Array(stat.size);
    let at = 0;
    while (at < bytes.length) {
      const read = readSync(descriptor, bytes, at, Math.min(READ_BYTES, bytes.length - at), at);
      if (read === 0) throw new NpyRefused('the file became shorter while it was read');
      at += read;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}
