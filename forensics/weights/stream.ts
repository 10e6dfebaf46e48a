import { closeSync, openSync, readSync } from 'node:fs';
import { Failure } from '../../domain/incident/failure.ts';
import { createKernel, createMemory, DATA_OFFSET, type Counts, type Moments } from './kernel/kernel.ts';

/** What is held of each file at a time; fits the second-level cache of a core together with its counterpart. */
const WINDOW_BYTES = 512 * 1024;

/** Little-endian float32 words in a file: a tensor's raw data, or its external data. Bytes; `length` a multiple of 4. */
export interface ByteRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

export type Difference = Counts & Moments;

/**
 * Compares two ranges of equal length in constant memory, whatever their size; the squares are taken only where a bit differs, so for a
 * window without a change its `suspect` and `golden` squares are left out. A range that the file does not hold is `model/invalid`.
 */
export function compareRanges(suspect: ByteRange, golden: ByteRange): Difference {
  if (suspect.length !== golden.length || suspect.length % 4 !== 0)
    throw new Failure('model/invalid', `Ranges of ${suspect.length} and ${golden.length} bytes cannot be compared.`);
  const kernel = createKernel(createMemory(2 * WINDOW_BYTES));
  const windows = [DATA_OFFSET, DATA_OFFSET + WINDOW_BYTES].map(
    (at) => new Uint8Array(kernel.memory, at, WINDOW_BYTES),
  );
  const files: number[] = [];
  const totals = { words: 0, changed: 0, signFlips: 0, fewBits: 0, ...NOTHING };
  try {
    for (const { path } of [suspect, golden]) files.push(openSync(path, 'r'));
    for (let at = 0; at < suspect.length; at += WINDOW_BYTES) {
      const bytes = Math.min(WINDOW_BYTES, suspect.length - at);
      [suspect, golden].forEach((range, side) => fill(files[side] ?? -1, windows[side], range.offset + at, bytes));
      const counts = kernel.count(DATA_OFFSET, DATA_OFFSET + WINDOW_BYTES, bytes / 4);
      add(totals, counts);
      if (counts.changed > 0) add(totals, kernel.moments(DATA_OFFSET, DATA_OFFSET + WINDOW_BYTES, bytes / 4));
    }
    return totals;
  } finally {
    files.forEach((file) => closeSync(file));
  }
}

const NOTHING: Moments = { difference: 0, suspect: 0, golden: 0, nonFinite: 0, emptied: 0 };

/** Fills a window from the file; what is left of the window becomes zero, which no figure counts. */
function fill(file: number, window: Uint8Array | undefined, position: number, bytes: number): void {
  if (!window) return;
  let done = 0;
  while (done < bytes) {
    const read = readSync(file, window, done, bytes - done, position + done);
    if (read === 0) throw new Failure('model/invalid', `The file ends before byte ${position + bytes}.`);
    done += read;
  }
  window.fill(0, bytes);
}

function add(totals: Record<string, number>, part: object): void {
  for (const [name, value] of Object.entries(part) as [string, number][]) totals[name] = (totals[name] ?? 0) + value;
}
