import { assemble } from './assembler.ts';
import { kernelText, STEP_BYTES } from './text.ts';

const PAGE_BYTES = 65_536;
/** The first page of the memory holds the results. */
export const DATA_OFFSET = PAGE_BYTES;

/** Bits that differ between two ranges of float32 words. */
export interface Counts {
  readonly words: number;
  readonly changed: number;
  readonly signFlips: number;
  /** Changed words that differ in one or two bits. */
  readonly fewBits: number;
}

/** Squares in float64; words that are not finite on either side add nothing. */
export interface Moments {
  readonly difference: number;
  readonly suspect: number;
  readonly golden: number;
  /** Words of the suspect that are NaN or infinite. */
  readonly nonFinite: number;
  /** Words that are zero in the suspect and were not in the golden model. */
  readonly emptied: number;
}

export interface Kernel {
  readonly memory: ArrayBuffer | SharedArrayBuffer;
  /** Offsets in bytes, `words` ≥ 0; the memory behind the last word up to a multiple of 32 bytes MUST be equal on both sides. */
  count(suspect: number, golden: number, words: number): Counts;
  /** As `count`; what fills up the last step MUST be zero. */
  moments(suspect: number, golden: number, words: number): Moments;
}

interface Exports {
  count(a: number, b: number, end: number, out: number): void;
  moments(a: number, b: number, end: number, out: number): void;
}

/** Memory for `bytes` of data behind DATA_OFFSET; shared memory can be handed to other threads, one result slot (below 512) for each. */
export function createMemory(bytes: number, shared = false): WebAssembly.Memory {
  const pages = 1 + Math.ceil(bytes / PAGE_BYTES);
  return new WebAssembly.Memory(shared ? { initial: pages, maximum: pages, shared: true } : { initial: pages });
}

export function createKernel(memory: WebAssembly.Memory, slot = 0): Kernel {
  const shared = memory.buffer instanceof SharedArrayBuffer;
  const module = new WebAssembly.Module(assemble(kernelText(shared)));
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  const out = slot * 128;
  const lanes = new Int32Array(memory.buffer, out, 20);
  const doubles = new Float64Array(memory.buffer, out, 6);
  const total = (vector: number) => {
    const at = vector * 4;
    return (lanes[at] ?? 0) + (lanes[at + 1] ?? 0) + (lanes[at + 2] ?? 0) + (lanes[at + 3] ?? 0);
  };
  const end = (from: number, words: number) => from + Math.ceil((words * 4) / STEP_BYTES) * STEP_BYTES;
  return {
    memory: memory.buffer,
    count(suspect, golden, words) {
      if (words === 0) return { words: 0, changed: 0, signFlips: 0, fewBits: 0 };
      const to = end(suspect, words);
      run.count(suspect, golden, to, out);
      const same = total(0);
      return { words, changed: (to - suspect) / 4 - same, signFlips: total(2), fewBits: total(1) - same };
    },
    moments(suspect, golden, words) {
      if (words === 0) return { difference: 0, suspect: 0, golden: 0, nonFinite: 0, emptied: 0 };
      run.moments(suspect, golden, end(suspect, words), out);
      const sum = (vector: number) => (doubles[vector * 2] ?? 0) + (doubles[vector * 2 + 1] ?? 0);
      return { difference: sum(0), suspect: sum(1), golden: sum(2), nonFinite: total(3), emptied: total(4) };
    },
  };
}
