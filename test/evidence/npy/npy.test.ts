import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readNpy } from '../../../evidence/npy/array.ts';
import { NpyRefused } from '../../../evidence/npy/header.ts';
import { header, npy } from './write-npy.ts';

const numbers = (bytes: Uint8Array) => Array.from(readNpy(bytes).values, Number);

describe('a .npy file', () => {
  it.each([
    ['<f4', Float32Array.from([0.5, -1, 2])],
    ['<f8', Float64Array.from([0.1, -1e300, 2])],
    ['|i1', Int8Array.from([-128, 0, 127])],
    ['<i2', Int16Array.from([-3, 0, 300])],
    ['<i4', Int32Array.from([-3, 0, 70_000])],
    ['<i8', BigInt64Array.from([-3n, 0n, 5n])],
    ['|u1', Uint8Array.from([0, 7, 255])],
    ['<u2', Uint16Array.from([0, 7, 65_535])],
    ['<u4', Uint32Array.from([0, 7, 4_294_967_295])],
    ['<u8', BigUint64Array.from([0n, 7n, 9n])],
  ])('of %s gives its numbers', (descr, data) => {
    const read = readNpy(npy(header(descr, [3]), data));
    expect(Array.from(read.values, Number)).toEqual(Array.from(data as Iterable<number | bigint>, Number));
    expect(read.shape).toEqual([3]);
    expect(read.kind).toBe(descr.includes('f') ? 'float' : 'integer');
  });

  it('of half precision gives its numbers: ordinary, subnormal, infinite and none', () => {
    const bits = Uint16Array.from([0x3c00, 0xc000, 0x3555, 0x0001, 0x7c00, 0x7e00]);
    expect(numbers(npy(header('<f2', [6]), bits))).toEqual([1, -2, 0.333251953125, 2 ** -24, Infinity, NaN]);
  });

  it.each([
    [1, 0],
    [2, 0],
    [3, 0],
  ] as const)('is read in format version %i.%i', (major, minor) => {
    expect(numbers(npy(header('<f8', [2]), Float64Array.from([1, 2]), [major, minor]))).toEqual([1, 2]);
  });

  it('in Fortran order comes out in C order', () => {
    const columns = Float32Array.from([1, 4, 2, 5, 3, 6]);
    const read = readNpy(npy(header('<f4', [2, 3], true), columns));
    expect(Array.from(read.values, Number)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('may be empty, and its keys may come in any order', () => {
    expect(numbers(npy(header('<f4', [0, 3]), new Float32Array(0)))).toEqual([]);
    const other = "{'shape': (2,), 'fortran_order': False, 'descr': '<i4'}";
    expect(numbers(npy(other, Int32Array.from([1, 2])))).toEqual([1, 2]);
  });

  it('need not begin at a round address', () => {
    const bytes = npy(header('<f8', [2]), Float64Array.from([1, 2]));
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(numbers(shifted.subarray(3))).toEqual([1, 2]);
  });
});

describe('a .npy file of a stranger', () => {
  const two = Float32Array.from([1, 2]);
  it.each([
    ['pickled objects', npy(header('|O', [2]), two), /runs code/],
    ['big-endian numbers', npy(header('>f4', [2]), two), /little-endian/],
    ['complex numbers', npy(header('<c8', [1]), two), /elements of type/],
    ['a type named like a property of every object', npy(header('<constructor', [2]), two), /elements of type/],
    ['named fields', npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}", two), /named fields/],
    ['more data than it says', npy(header('<f4', [1]), two), /expected 4 bytes .* got 8/],
    ['less data than it says', npy(header('<f4', [3]), two), /expected 12 bytes .* got 8/],
    ['a shape beyond all memory', npy(header('<f4', [2 ** 40, 2 ** 40]), two), /bytes of data/],
    ['a negative size', npy(header('<f4', [-2]), two), /cannot be read/],
    ['an expression for a header', npy("{'descr': __import__('os').name}", two), /cannot be read/],
    ['a key twice', npy("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", two), /cannot be/],
    ['a key too many', npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': True}", two), /cannot be/],
    ['a key too few', npy("{'descr': '<f4', 'shape': (2,)}", two), /each once/],
    ['a version of the future', npy(header('<f4', [2]), two, [4, 0]), /version 1.0, 2.0 or 3.0/],
    ['a header of a megabyte', npy(header('<f4', [2]) + ' '.repeat(1e6), two, [2, 0]), /at most 10000 bytes/],
    ['another format', new Uint8Array(Buffer.from('PK\x03\x04 an archive of arrays')), /no \.npy file/],
    ['nothing', new Uint8Array(0), /no \.npy file/],
  ])('with %s is refused in words', (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(NpyRefused);
    expect(() => readNpy(bytes)).toThrow(message);
  });

  it('is read or refused, never anything else, wherever it was cut or changed', () => {
    const whole = npy(header('<f4', [2, 2]), Float32Array.from([1, 2, 3, 4]));
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (end, at, byte) => {
        const bytes = whole.slice(0, end);
        if (at < end) bytes[at] = byte;
        try {
          readNpy(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(NpyRefused);
        }
      }),
      { numRuns: 500 },
    );
  });
});
