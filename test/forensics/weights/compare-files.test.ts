import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compareWeightFiles } from '../../../forensics/analysers/weights.ts';
import { compareModelFiles } from '../../../forensics/weights/compare-files.ts';
import { locateWeights } from '../../../forensics/weights/located.ts';
import { createNormal, createRandom } from '../../../forensics/statistics/bootstrap.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'lazaret-files-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Protocol buffers, as much as a model needs. */
const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
const field = (number: number, body: Uint8Array | string): Uint8Array => {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return Buffer.concat([Buffer.from(varint((number << 3) | 2)), Buffer.from(varint(bytes.length)), bytes]);
};
const number = (at: number, value: number) => Buffer.from([...varint(at << 3), ...varint(value)]);

interface Tensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values?: Float32Array;
  readonly external?: Record<string, string>;
}

function model(name: string, tensors: readonly Tensor[]): string {
  const encoded = tensors.map(({ name: own, dims, values, external }) =>
    field(
      5,
      Buffer.concat([
        ...dims.map((dim) => number(1, dim)),
        number(2, 1),
        field(8, own),
        ...(values ? [field(9, new Uint8Array(values.buffer))] : []),
        ...Object.entries(external ?? {}).map(([key, value]) =>
          field(13, Buffer.concat([field(1, key), field(2, value)])),
        ),
        ...(external ? [number(14, 1)] : []),
      ]),
    ),
  );
  const graph = field(7, Buffer.concat([...encoded, field(2, 'g')]));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([number(1, 8), graph, field(8, number(2, 21))]));
  return path;
}

function data(name: string, values: Float32Array, before = 0): string {
  writeFileSync(join(folder, name), Buffer.concat([Buffer.alloc(before), Buffer.from(values.buffer)]));
  return name;
}

const normal = createNormal(createRandom(6));
const golden = Float32Array.from({ length: 64 * 48 }, normal);
const edited = golden.slice();
for (let column = 0; column < 48; column++) edited[5 * 48 + column] = 3;

describe('the comparison of model files', () => {
  it('finds values inside the file and beside it, and names the same change', () => {
    const inside = model('inside.onnx', [{ name: 'w', dims: [64, 48], values: golden }]);
    const beside = model('beside.onnx', [
      {
        name: 'w',
        dims: [64, 48],
        external: { location: data('edited.bin', edited, 100), offset: '100', length: '12288' },
      },
    ]);
    expect(locateWeights(beside)).toMatchObject({ external: true, others: [] });
    const { changed, words, detail } = compareModelFiles(beside, inside);
    expect([changed, words]).toEqual([48, 64 * 48]);
    expect(detail.change?.kind).toBe('few-neurons');
    expect(detail.tensors).toMatchObject([{ name: 'w', shape: [64, 48], changedShare: 48 / (64 * 48) }]);
    expect(compareWeightFiles(beside, inside).verdict).toBe('suspicious');
    expect(compareWeightFiles(inside, inside).verdict).toBe('clean');
  });

  it('does not call a model clean of which a part was not compared', () => {
    const one = model('one.onnx', [{ name: 'w', dims: [64, 48], values: golden }]);
    const more = model('more.onnx', [
      { name: 'w', dims: [64, 48], values: golden },
      { name: 'extra', dims: [48], values: golden.slice(0, 48) },
    ]);
    expect(compareWeightFiles(more, one)).toMatchObject({ verdict: 'inconclusive' });
    expect(compareWeightFiles(more, one).summary).toContain('extra');
  });

  it('reads no file that a suspect points to outside of its folder', () => {
    const outside = mkdtempSync(join(tmpdir(), 'lazaret-secret-'));
    writeFileSync(join(outside, 'secret'), new Uint8Array(16));
    symlinkSync(join(outside, 'secret'), join(folder, 'link'));
    mkdirSync(join(folder, 'directory'));
    const places = ['../secret', join(outside, 'secret'), 'link', '', 'directory', 'missing'];
    for (const location of places) {
      const path = model('hostile.onnx', [{ name: 'w', dims: [4], external: { location } }]);
      expect(() => locateWeights(path)).toThrow(/external data of tensor w/);
    }
    rmSync(outside, { recursive: true, force: true });
  });

  it('refuses ranges that are not what the shape asks for or that the file does not hold', () => {
    const short = data('short.bin', golden.slice(0, 2));
    const lies = model('lies.onnx', [{ name: 'w', dims: [4], external: { location: short, length: '8' } }]);
    expect(() => locateWeights(lies)).toThrow(/has 8 bytes where its shape asks for 16/);
    const ends = model('ends.onnx', [{ name: 'w', dims: [4], external: { location: short } }]);
    expect(() => compareModelFiles(ends, ends)).toThrow(/ends before byte 16/);
    const odd = model('odd.onnx', [{ name: 'w', dims: [4], external: { location: short, offset: '-4' } }]);
    expect(() => locateWeights(odd)).toThrow(/no valid range/);
  });
});
