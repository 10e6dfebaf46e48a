import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { Frontier } from '../../../domain/proofs/frontier.ts';
import {
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  merkleRootHex,
  verifyConsistency,
  verifyInclusion,
} from '../../../domain/proofs/merkle.ts';

const VECTORS = new URL('../../vectors/rfc6962/', import.meta.url);

interface Inclusion {
  file: string;
  leafIdx: number;
  treeSize: number;
  root: string;
  leafHash: string;
  proof: string[] | null;
  wantErr: boolean;
}
interface Consistency {
  file: string;
  size1: number;
  size2: number;
  root1: string;
  root2: string;
  proof: string[] | null;
  wantErr: boolean;
}

function vectors<T>(name: string): T[] {
  const lines = readFileSync(new URL(name, VECTORS), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}
const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
const leafHex = (leaf: Uint8Array) => Buffer.from(leafHash(leaf)).toString('hex');

/** The eight leaves of the reference tree of Certificate Transparency. */
const REFERENCE = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((leaf) => Uint8Array.from(Buffer.from(leaf, 'hex')));
const leaves = fc.array(fc.uint8Array({ maxLength: 12 }), { minLength: 1, maxLength: 40 });

describe('Merkle trees of RFC 6962', () => {
  it('give the root of the reference tree, and of the empty one', () => {
    expect(merkleRootHex(REFERENCE)).toBe('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');
    expect(merkleRootHex([])).toBe(EMPTY_ROOT);
    expect(EMPTY_ROOT).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it.each(vectors<Inclusion>('inclusion.jsonl'))('judge $file as the reference does', (vector) => {
    const { leafIdx: index, treeSize: size } = vector;
    const claim = {
      leaf: hex(vector.leafHash),
      index,
      size,
      root: hex(vector.root),
      proof: (vector.proof ?? []).map(hex),
    };
    expect(verifyInclusion(claim)).toBe(!vector.wantErr);
  });

  it.each(vectors<Consistency>('consistency.jsonl'))('judge $file as the reference does', (vector) => {
    const { size1, size2 } = vector;
    const claim = {
      size1,
      size2,
      root1: hex(vector.root1),
      root2: hex(vector.root2),
      proof: (vector.proof ?? []).map(hex),
    };
    expect(verifyConsistency(claim)).toBe(!vector.wantErr);
  });

  it('prove every leaf, and no other leaf with the same path', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), fc.nat(), (all, pick, other) => {
        const index = pick % all.length;
        const foreign = all[other % all.length] ?? new Uint8Array();
        const claim = { index, size: all.length, root: merkleRootHex(all), proof: inclusionProof(all, index) };
        expect(verifyInclusion({ ...claim, leaf: leafHex(all[index] ?? new Uint8Array()) })).toBe(true);
        const same = Buffer.compare(foreign, all[index] ?? new Uint8Array()) === 0;
        expect(verifyInclusion({ ...claim, leaf: leafHex(foreign) })).toBe(same);
      }),
    );
  });

  it('prove every prefix, and no changed one', () => {
    fc.assert(
      fc.property(leaves, fc.nat(), (all, pick) => {
        const size1 = (pick % all.length) + 1;
        const claim = { size1, size2: all.length, root2: merkleRootHex(all), proof: consistencyProof(all, size1) };
        const prefix = all.slice(0, size1);
        expect(verifyConsistency({ ...claim, root1: merkleRootHex(prefix) })).toBe(true);
        expect(verifyConsistency({ ...claim, root1: merkleRootHex([...prefix.slice(1), new Uint8Array(13)]) })).toBe(
          false,
        );
      }),
    );
  });

  it('do not take a node for a leaf', () => {
    const [a, b] = ['a', 'b'];
    const inner = Buffer.concat([leafHash(a), leafHash(b)]);
    expect(merkleRootHex([inner])).not.toBe(merkleRootHex([a, b]));
  });
});

describe('the frontier', () => {
  it('has the root of the whole tree after every append, also when it is put away and taken up again', () => {
    fc.assert(
      fc.property(leaves, (all) => {
        let frontier = new Frontier();
        all.forEach((leaf, index) => {
          frontier = Frontier.from(JSON.parse(JSON.stringify(frontier.snapshot())) as ReturnType<Frontier['snapshot']>);
          frontier.append(leaf);
          expect(frontier.size).toBe(index + 1);
          expect(frontier.rootHex()).toBe(merkleRootHex(all.slice(0, index + 1)));
        });
      }),
      { numRuns: 40 },
    );
  });

  it('takes a text for its UTF-8 bytes', () => {
    const frontier = new Frontier();
    frontier.append('sticker é');
    expect(frontier.rootHex()).toBe(merkleRootHex([new TextEncoder().encode('sticker é')]));
  });

  it.each([
    [{ size: 3, peaks: [EMPTY_ROOT] }],
    [{ size: 2, peaks: [EMPTY_ROOT, EMPTY_ROOT] }],
    [{ size: -1, peaks: [] }],
    [{ size: 1.5, peaks: [EMPTY_ROOT] }],
    [{ size: 1, peaks: ['E3'] }],
  ])('refuses a snapshot that cannot be one: %j', (snapshot) => {
    expect(() => Frontier.from(snapshot)).toThrow('not a frontier');
  });
});
