import { DATA_TYPES } from '../../onnx/model.ts';
import { integers } from './decode.ts';
import type { Tensor } from './model.ts';

/** Little-endian numbers of a data type out of bytes, at most `limit`; empty for types without plain numbers. */
export function numbersOf(dataType: number, bytes: Uint8Array, limit = Infinity): Float64Array {
  const width = DATA_TYPES[dataType]?.bytes ?? 0;
  const read = READERS[dataType];
  if (width === 0 || read === undefined) return new Float64Array();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: Math.min(limit, Math.floor(bytes.byteLength / width)) }, (_, index) =>
    read(view, index * width),
  );
}

const READERS: Readonly<Record<number, (view: DataView, at: number) => number>> = {
  1: (view, at) => view.getFloat32(at, true),
  2: (view, at) => view.getUint8(at),
  3: (view, at) => view.getInt8(at),
  4: (view, at) => view.getUint16(at, true),
  5: (view, at) => view.getInt16(at, true),
  6: (view, at) => view.getInt32(at, true),
  7: (view, at) => Number(view.getBigInt64(at, true)),
  9: (view, at) => view.getUint8(at),
  10: (view, at) => view.getFloat16(at, true),
  11: (view, at) => view.getFloat64(at, true),
  12: (view, at) => view.getUint32(at, true),
  13: (view, at) => Number(view.getBigUint64(at, true)),
  16: (view, at) => brain(view.getUint16(at, true)),
};

const scratch = new DataView(new ArrayBuffer(4));
/** bfloat16: the upper half of a binary32. */
function brain(bits: number): number {
  scratch.setUint32(0, bits * 65536);
  return scratch.getFloat32(0);
}

/** The first elements of a tensor, wherever it keeps them. Text and external data give nothing. */
export function elements(tensor: Tensor, limit: number): Float64Array {
  if (tensor.raw !== null) return numbersOf(tensor.dataType, tensor.raw, limit);
  for (const [field, parts] of tensor.lists) {
    if (field === 4 || field === 10)
      return numbersOf(field === 4 ? 1 : 11, joined(parts.filter((part) => part instanceof Uint8Array)), limit);
    if (field !== 6) return Float64Array.from(integers(parts, limit), Number);
  }
  return new Float64Array();
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] ? parts[0] : new Uint8Array(Buffer.concat(parts));
}

/** How many elements the file holds for the tensor; null where they lie outside or below one byte each. Counts, and decodes nothing. */
export function heldElements(tensor: Tensor): number | null {
  if (tensor.isExternal || tensor.external.length > 0) return null;
  if (tensor.raw !== null) {
    const width = DATA_TYPES[tensor.dataType]?.bytes ?? null;
    return width === null ? null : tensor.raw.length / width;
  }
  if (DATA_TYPES[tensor.dataType]?.bytes == null && tensor.dataType !== 8) return null;
  let held = 0;
  for (const [field, parts] of tensor.lists)
    for (const part of parts) {
      if (typeof part === 'bigint' || field === 6) held += 1;
      else if (field === 4) held += part.length / 4;
      else if (field === 10) held += part.length / 8;
      else for (const byte of part) if (byte < 128) held += 1;
    }
  return tensor.dataType === 14 || tensor.dataType === 15 ? held / 2 : held;
}

/** Product of the dimensions; null where a dimension is negative or the product is beyond exact numbers. */
export function declaredElements(dims: readonly bigint[]): number | null {
  let product = 1n;
  for (const dim of dims) {
    if (dim < 0n) return null;
    product *= dim;
    if (product > 2n ** 53n && !dims.includes(0n)) return null;
  }
  return Number(product);
}
