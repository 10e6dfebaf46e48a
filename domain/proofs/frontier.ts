import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { EMPTY_ROOT, leafHash, nodeHash, type Leaf } from './merkle.ts';

/** What a workflow carries from run to run: at most 53 hashes, however long the log. `peaks` are hex, the largest subtree first. */
export interface FrontierSnapshot {
  readonly size: number;
  readonly peaks: readonly string[];
}

/** The right edge of an RFC 6962 tree: enough to append and to give the root, without the leaves. */
export class Frontier {
  #size = 0;
  #peaks: Uint8Array[] = [];

  /** Throws TypeError where the snapshot cannot be one of a tree of its size. */
  static from(snapshot: FrontierSnapshot): Frontier {
    const { size, peaks } = snapshot;
    if (!Number.isSafeInteger(size) || size < 0) throw new TypeError('not a frontier: the size is not a count');
    if (peaks.length !== ones(size))
      throw new TypeError(`not a frontier: a tree of ${size} has ${ones(size)} peaks, not ${peaks.length}`);
    if (!peaks.every((peak) => /^[0-9a-f]{64}$/.test(peak)))
      throw new TypeError('not a frontier: a peak is not 64 hex digits');
    const frontier = new Frontier();
    frontier.#size = size;
    frontier.#peaks = peaks.map((peak) => hexToBytes(peak));
    return frontier;
  }

  get size(): number {
    return this.#size;
  }

  append(leaf: Leaf): void {
    let peak = leafHash(leaf);
    // Every trailing one of the size is a full subtree as large as the new one: they become its left siblings.
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#peaks.pop();
      if (left) peak = nodeHash(left, peak);
    }
    this.#peaks.push(peak);
    this.#size += 1;
  }

  rootHex(): string {
    if (this.#size === 0) return EMPTY_ROOT;
    return bytesToHex(this.#peaks.reduceRight((right, left) => nodeHash(left, right)));
  }

  snapshot(): { size: number; peaks: string[] } {
    return { size: this.#size, peaks: this.#peaks.map((peak) => bytesToHex(peak)) };
  }
}

function ones(value: number): number {
  let count = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
