import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { assemble } from '../../../forensics/weights/kernel/assembler.ts';
import { compareRanges } from '../../../forensics/weights/stream.ts';
import { createNormal, createRandom } from '../../../forensics/statistics/bootstrap.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'lazaret-weights-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, values: Float32Array, before = 0) => {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([Buffer.alloc(before), Buffer.from(values.buffer)]));
  return { path, offset: before, length: values.byteLength };
};

function plain(suspect: Float32Array, golden: Float32Array) {
  const [a, b] = [new Int32Array(suspect.buffer), new Int32Array(golden.buffer)];
  const out = { changed: 0, signFlips: 0, fewBits: 0, nonFinite: 0, emptied: 0, difference: 0 };
  suspect.forEach((p, at) => {
    const q = golden[at] ?? 0;
    const ones = ((a[at] ?? 0) ^ (b[at] ?? 0)) >>> 0;
    const bits = ones.toString(2).replaceAll('0', '').length;
    if (bits > 0) out.changed++;
    if (bits > 0 && bits <= 2) out.fewBits++;
    if (ones >= 2 ** 31) out.signFlips++;
    if (!Number.isFinite(p)) out.nonFinite++;
    else if (Number.isFinite(q)) {
      if (p === 0 && q !== 0) out.emptied++;
      out.difference += Math.fround(p - q) ** 2;
    }
  });
  return out;
}

describe('the streaming comparison', () => {
  it('gives the figures of a plain loop, for every length around its steps and windows', () => {
    const normal = createNormal(createRandom(4));
    for (const length of [1, 7, 8, 9, 131_071, 131_072, 131_073, 300_001]) {
      const golden = Float32Array.from({ length }, normal);
      const suspect = golden.map((value, at) => (at % 3 === 0 ? value : at % 5 === 0 ? 0 : value + normal() * 1e-3));
      const flipped = new Int32Array(suspect.buffer);
      flipped[0] = (flipped[0] ?? 0) ^ 0x80000001;
      if (length > 10) suspect.set([NaN, Infinity, -Infinity], 4);
      const found = compareRanges(file('suspect', suspect, 12), file('golden', golden));
      const { difference, ...counts } = plain(suspect, golden);
      expect(found).toMatchObject({ words: length, ...counts });
      expect(found.difference / (difference || 1)).toBeCloseTo(difference ? 1 : 0, 10);
    }
  });

  it('finds nothing between a file and itself, and nothing in nothing', () => {
    const same = file('same', Float32Array.of(1, NaN, -0, 5));
    expect(compareRanges(same, same)).toMatchObject({ words: 4, changed: 0, difference: 0 });
    expect(compareRanges({ ...same, length: 0 }, { ...same, length: 0 })).toMatchObject({ words: 0, changed: 0 });
  });

  it('refuses ranges that the file does not hold or that do not match', () => {
    const short = file('short', Float32Array.of(1, 2));
    expect(() => compareRanges({ ...short, length: 16 }, { ...short, length: 16 })).toThrow(/ends before byte 16/);
    expect(() => compareRanges(short, { ...short, length: 4 })).toThrow(/cannot be compared/);
  });
});

describe('the assembler', () => {
  it('says what it cannot read', () => {
    expect(() => assemble('(module (memory 1) (func "f" (i64.add)))')).toThrow(/instruction i64.add/);
    expect(() => assemble('(module (memory 1) (func "f" (local.get $x)))')).toThrow(/\$x is not declared/);
    expect(() => assemble('(module (memory 1)')).toThrow(/parenthesis is missing/);
  });
});
