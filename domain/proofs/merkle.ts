import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * Merkle trees as in RFC 6962 section 2.1: a leaf is hashed behind 0x00, a node behind 0x01, so that no node can be passed off as a leaf.
 * Hashes at the border are lowercase hex, 64 digits. Proofs are lists of hashes from the leaf's level up.
 */
export type Leaf = string | Uint8Array;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const HASH = /^[0-9a-f]{64}$/;

/** Root of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT = bytesToHex(sha256(new Uint8Array(0)));

export function leafHash(leaf: Leaf): Uint8Array {
  return sha256(concatBytes(LEAF, typeof leaf === 'string' ? utf8ToBytes(leaf) : leaf));
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(NODE, left, right));
}

export function merkleRootHex(leaves: readonly Leaf[]): string {
  return leaves.length === 0 ? EMPTY_ROOT : bytesToHex(subtree(leaves.map(leafHash), 0, leaves.length));
}

/** Audit path of the leaf at `index` (RFC 6962 section 2.1.1). Throws RangeError where there is no such leaf. */
export function inclusionProof(leaves: readonly Leaf[], index: number): readonly string[] {
  if (!Number.isSafeInteger(index) || index < 0 || index >= leaves.length)
    throw new RangeError(`no leaf ${index} of ${leaves.length}`);
  const hashes = leaves.map(leafHash);
  const path = (from: number, to: number): readonly Uint8Array[] => {
    if (to - from === 1) return [];
    const middle = from + largestPowerBelow(to - from);
    return index < middle
      ? [...path(from, middle), subtree(hashes, middle, to)]
      : [...path(middle, to), subtree(hashes, from, middle)];
  };
  return path(0, leaves.length).map(bytesToHex);
}

/** Proof that the first `size` leaves are a prefix of all (RFC 6962 section 2.1.2). Throws RangeError on an impossible size. */
export function consistencyProof(leaves: readonly Leaf[], size: number): readonly string[] {
  if (!Number.isSafeInteger(size) || size < 0 || size > leaves.length)
    throw new RangeError(`no tree of ${size} in one of ${leaves.length}`);
  if (size === 0) return [];
  const hashes = leaves.map(leafHash);
  const subproof = (from: number, to: number, keep: number, whole: boolean): readonly Uint8Array[] => {
    if (keep === to - from) return whole ? [] : [subtree(hashes, from, to)];
    const k = largestPowerBelow(to - from);
    return keep <= k
      ? [...subproof(from, from + k, keep, whole), subtree(hashes, from + k, to)]
      : [...subproof(from + k, to, keep - k, false), subtree(hashes, from, from + k)];
  };
  return subproof(0, leaves.length, size, true).map(bytesToHex);
}

export interface InclusionClaim {
  /** Hex of `leafHash`. */
  readonly leaf: string;
  readonly index: number;
  readonly size: number;
  readonly root: string;
  readonly proof: readonly string[];
}

/** RFC 9162 section 2.1.3.2. False on anything malformed; never throws. */
export function verifyInclusion({ leaf, index, size, root, proof }: InclusionClaim): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || ![leaf, root, ...proof].every((hash) => HASH.test(hash)))
    return false;
  let fn = index;
  let sn = size - 1;
  let running: Uint8Array = hexToBytes(leaf);
  for (const step of proof) {
    if (sn === 0) return false;
    if (odd(fn) || fn === sn) {
      running = nodeHash(hexToBytes(step), running);
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      running = nodeHash(running, hexToBytes(step));
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && bytesToHex(running) === root;
}

export interface ConsistencyClaim {
  readonly size1: number;
  readonly size2: number;
  readonly root1: string;
  readonly root2: string;
  readonly proof: readonly string[];
}

/** RFC 9162 section 2.1.4.2: the log of `size2` leaves extends the one of `size1`. False on anything malformed; never throws. */
export function verifyConsistency({ size1, size2, root1, root2, proof }: ConsistencyClaim): boolean {
  if (!isCount(size1) || !isCount(size2) || size1 > size2 || ![root1, root2, ...proof].every((hash) => HASH.test(hash)))
    return false;
  if (size1 === size2) return proof.length === 0 && root1 === root2 && (size1 > 0 || root1 === EMPTY_ROOT);
  if (size1 === 0) return proof.length === 0 && root1 === EMPTY_ROOT;
  let fn = size1 - 1;
  let sn = size2 - 1;
  while (odd(fn)) [fn, sn] = [half(fn), half(sn)];
  // A tree of a power of two is a whole subtree of the larger one, so its root starts the path and is not repeated in the proof.
  const [seed, ...rest] = fn === 0 ? [root1, ...proof] : proof;
  if (seed === undefined) return false;
  let first: Uint8Array = hexToBytes(seed);
  let second: Uint8Array = first;
  for (const step of rest) {
    if (sn === 0) return false;
    const sibling = hexToBytes(step);
    if (odd(fn) || fn === sn) {
      first = nodeHash(sibling, first);
      second = nodeHash(sibling, second);
      while (!odd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      second = nodeHash(second, sibling);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && bytesToHex(first) === root1 && bytesToHex(second) === root2;
}

function subtree(hashes: readonly Uint8Array[], from: number, to: number): Uint8Array {
  const only = hashes[from];
  if (to - from === 1 && only) return only;
  const middle = from + largestPowerBelow(to - from);
  return nodeHash(subtree(hashes, from, middle), subtree(hashes, middle, to));
}

/** The largest power of two smaller than `count`, for `count` of at least 2. */
function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

// Arithmetic instead of bit operators, which end at 32 bits.
const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const odd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);
