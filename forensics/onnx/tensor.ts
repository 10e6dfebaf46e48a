import { DATA_TYPES, dataTypeName, type FloatValues, type OnnxTensor } from './model.ts';
import {
  bytes,
  doubles,
  floats,
  int32,
  int32s,
  int64s,
  invalid,
  message,
  readFields,
  text,
  uint64s,
  type Place,
} from './wire.ts';

const EXTERNAL = 1;
const MAX_RANK = 64;

/** TensorProto (onnx.proto3). External data is refused: only bytes that were signed and captured are examined. */
export function readTensor(encoded: Uint8Array, place: Place): OnnxTensor {
  let name = '';
  let dataType = 0;
  let raw: Uint8Array | null = null;
  let external = false;
  const dims: bigint[] = [];
  const lists = {
    float: [] as number[],
    double: [] as number[],
    int32: [] as number[],
    int64: [] as bigint[],
    uint64: [] as bigint[],
    string: [] as Uint8Array[],
  };
  const rest = readFields('TensorProto', encoded, place, {
    1: int64s((value) => dims.push(value)),
    2: int32((value) => (dataType = value)),
    4: floats((value) => lists.float.push(value)),
    5: int32s((value) => lists.int32.push(value)),
    6: bytes((value) => lists.string.push(value), true),
    7: int64s((value) => lists.int64.push(value)),
    8: text((value) => (name = value)),
    9: bytes((value) => (raw = value)),
    10: doubles((value) => lists.double.push(value)),
    11: uint64s((value) => lists.uint64.push(value)),
    13: message(() => (external = true), true),
    14: int32((value) => (external ||= value === EXTERNAL)),
  });
  if (external) throw invalid(`tensor "${name}" keeps its values in another file`);

  const filled = Object.values(lists).filter((list) => list.length > 0).length + (raw === null ? 0 : 1);
  if (filled > 1) throw invalid(`tensor "${name}" stores its values in two places`);
  const shape = dims.map((dim) => elementCount(dim, name));
  if (shape.length > MAX_RANK) throw invalid(`tensor "${name}" has ${shape.length} dimensions`);
  const elements = shape.reduce((product, dim) => product * dim, 1);
  const content = raw ?? encodeLists(dataType, lists);
  const width = DATA_TYPES[dataType]?.bytes ?? null;
  if (width !== null && content.byteLength !== elements * width)
    throw invalid(
      `tensor "${name}" has ${content.byteLength} bytes of ${dataTypeName(dataType)} for shape [${shape.join(', ')}]`,
    );
  return { name, dataType, dims: shape, values: decodeFloats(dataType, content), raw: content, rest };
}

function elementCount(dim: bigint, name: string): number {
  if (dim < 0n || dim > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`tensor "${name}" has the dimension ${dim}`);
  return Number(dim);
}

interface Lists {
  readonly float: readonly number[];
  readonly double: readonly number[];
  readonly int32: readonly number[];
  readonly int64: readonly bigint[];
  readonly uint64: readonly bigint[];
  readonly string: readonly Uint8Array[];
}

/** The typed lists in the layout of `raw_data`: fixed width, little-endian. `int32_data` also carries every narrower type. */
function encodeLists(dataType: number, lists: Lists): Uint8Array {
  if (lists.string.length > 0) return encodeStrings(lists.string);
  if (lists.float.length > 0) return fill(lists.float, 4, (view, at, value) => view.setFloat32(at, value, true));
  if (lists.double.length > 0) return fill(lists.double, 8, (view, at, value) => view.setFloat64(at, value, true));
  if (lists.int64.length > 0) return fill(lists.int64, 8, (view, at, value) => view.setBigInt64(at, value, true));
  if (lists.uint64.length > 0) {
    return dataType === 12
      ? fill(lists.uint64, 4, (view, at, value) => view.setUint32(at, Number(BigInt.asUintN(32, value)), true))
      : fill(lists.uint64, 8, (view, at, value) => view.setBigUint64(at, value, true));
  }
  switch (DATA_TYPES[dataType]?.bytes ?? 1) {
    case 2:
      return fill(lists.int32, 2, (view, at, value) => view.setUint16(at, value & 0xffff, true));
    case 1:
      return fill(lists.int32, 1, (view, at, value) => view.setUint8(at, value & 0xff));
    default:
      return fill(lists.int32, 4, (view, at, value) => view.setInt32(at, value, true));
  }
}

function fill<T>(list: readonly T[], width: number, set: (view: DataView, at: number, value: T) => void): Uint8Array {
  const out = new Uint8Array(list.length * width);
  const view = new DataView(out.buffer);
  list.forEach((value, index) => set(view, index * width, value));
  return out;
}

function encodeStrings(list: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(list.reduce((sum, item) => sum + 4 + item.byteLength, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const item of list) {
    view.setUint32(at, item.byteLength, true);
    out.set(item, at + 4);
    at += 4 + item.byteLength;
  }
  return out;
}

function decodeFloats(dataType: number, raw: Uint8Array): FloatValues | null {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  switch (dataType) {
    case 1:
      return Float32Array.from({ length: raw.byteLength / 4 }, (_, index) => view.getFloat32(index * 4, true));
    case 11:
      return Float64Array.from({ length: raw.byteLength / 8 }, (_, index) => view.getFloat64(index * 8, true));
    case 10:
      return Float32Array.from({ length: raw.byteLength / 2 }, (_, index) => half(view.getUint16(index * 2, true)));
    case 16:
      return Float32Array.from({ length: raw.byteLength / 2 }, (_, index) => brain(view.getUint16(index * 2, true)));
    default:
      return null;
  }
}

/** IEEE 754 binary16. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));
/** bfloat16: the upper half of a binary32. */
function brain(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}
