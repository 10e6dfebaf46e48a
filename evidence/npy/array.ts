import { NpyRefused, readNpyHeader } from './header.ts';

/** An array as it lies in the file, but little-endian and in C order. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly kind: 'float' | 'integer';
  readonly values: NumberArray | BigInt64Array | BigUint64Array;
}

export type NumberArray =
  Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

interface ElementType {
  readonly size: number;
  readonly kind: NpyArray['kind'];
  read(buffer: ArrayBuffer): NpyArray['values'];
}

/** By NumPy's type string without its byte order. */
const ELEMENT_TYPES: Readonly<Record<string, ElementType>> = {
  f2: { size: 2, kind: 'float', read: (buffer) => Float32Array.from(new Uint16Array(buffer), halfToNumber) },
  f4: { size: 4, kind: 'float', read: (buffer) => new Float32Array(buffer) },
  f8: { size: 8, kind: 'float', read: (buffer) => new Float64Array(buffer) },
  i1: { size: 1, kind: 'integer', read: (buffer) => new Int8Array(buffer) },
  i2: { size: 2, kind: 'integer', read: (buffer) => new Int16Array(buffer) },
  i4: { size: 4, kind: 'integer', read: (buffer) => new Int32Array(buffer) },
  i8: { size: 8, kind: 'integer', read: (buffer) => new BigInt64Array(buffer) },
  u1: { size: 1, kind: 'integer', read: (buffer) => new Uint8Array(buffer) },
  u2: { size: 2, kind: 'integer', read: (buffer) => new Uint16Array(buffer) },
  u4: { size: 4, kind: 'integer', read: (buffer) => new Uint32Array(buffer) },
  u8: { size: 8, kind: 'integer', read: (buffer) => new BigUint64Array(buffer) },
};

/**
 * The array in a `.npy` file. Refuses pickled objects, fields, other byte orders, and a file whose length is not exactly what its header
 * says: nothing is allocated on a header's word alone. Throws NpyRefused.
 */
export function readNpy(bytes: Uint8Array): NpyArray {
  const { descr, fortranOrder, shape, dataOffset } = readNpyHeader(bytes);
  const type = elementTypeOf(descr);
  const count = shape.reduce((product, size) => product * size, 1);
  const found = bytes.length - dataOffset;
  if (count * type.size !== found)
    throw new NpyRefused(
      `expected ${count * type.size} bytes of data for shape (${shape.join(', ')}) of ${descr}, got ${found}`,
    );
  // A copy: the data need not lie at a multiple of the element's size.
  const data = new ArrayBuffer(found);
  new Uint8Array(data).set(bytes.subarray(dataOffset));
  const values = type.read(data);
  return { shape, kind: type.kind, values: fortranOrder ? inCOrder(values, shape) : values };
}

function elementTypeOf(descr: string): ElementType {
  const [order, name] = [descr.slice(0, 1), descr.slice(1)];
  if (name.startsWith('O') || descr === 'O')
    throw new NpyRefused('expected numbers, got pickled Python objects: those are never read, loading them runs code');
  const type = Object.hasOwn(ELEMENT_TYPES, name) ? ELEMENT_TYPES[name] : undefined;
  if (!type)
    throw new NpyRefused(
      `expected elements of type ${Object.keys(ELEMENT_TYPES).join(', ')}, got ${JSON.stringify(descr)}`,
    );
  if (order !== '<' && !(order === '|' && type.size === 1))
    throw new NpyRefused(`expected little-endian elements (<${name}), got ${JSON.stringify(descr)}`);
  return type;
}

/** Fortran order stores columns first. One or no dimension is the same in both; more than two nobody here needs. */
function inCOrder(values: NpyArray['values'], shape: readonly number[]): NpyArray['values'] {
  if (shape.length < 2) return values;
  const [rows, columns] = shape;
  if (shape.length > 2 || rows === undefined || columns === undefined)
    throw new NpyRefused(`expected at most 2 dimensions in Fortran order, got ${shape.length}`);
  const transposed = values.slice();
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      transposed[row * columns + column] = values[column * rows + row] ?? 0;
  return transposed;
}

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
