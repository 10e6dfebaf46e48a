/**
 * The datatypes of the Open Inference Protocol v2 (https://github.com/kserve/open-inference-protocol) with their bytes per element in the
 * binary tensor data extension: row-major, little-endian. An element of BYTES is its length in four bytes, then that many.
 */
export const ELEMENT_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: null,
} as const;
export type Datatype = keyof typeof ELEMENT_BYTES;
export const DATATYPES = Object.keys(ELEMENT_BYTES) as readonly Datatype[];

export function isDatatype(text: string): text is Datatype {
  return Object.hasOwn(ELEMENT_BYTES, text);
}

/** IEEE 754 binary16. Every such number is one of binary64 too. */
export function numberOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * 2 ** (exponent - 25) * (fraction + 0x400);
}

/**
 * The elements as numbers, of any datatype but BYTES; integers beyond 2^53 lose their last digits. `bytes` holds whole elements; a rest is
 * left out.
 */
export function numbersOf(datatype: Exclude<Datatype, 'BYTES'>, bytes: Uint8Array): number[] {
  const size = ELEMENT_BYTES[datatype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = READ[datatype];
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => read(view, index * size));
}

const bfloat = new DataView(new ArrayBuffer(4));

const READ: Readonly<Record<Exclude<Datatype, 'BYTES'>, (view: DataView, at: number) => number>> = {
  BOOL: (view, at) => view.getUint8(at),
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => Number(view.getBigUint64(at, true)),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => Number(view.getBigInt64(at, true)),
  FP16: (view, at) => numberOfHalf(view.getUint16(at, true)),
  // The upper half of a binary32.
  BF16: (view, at) => {
    bfloat.setUint32(0, view.getUint16(at, true) << 16);
    return bfloat.getFloat32(0);
  },
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
};
