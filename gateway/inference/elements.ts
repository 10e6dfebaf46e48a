import { ELEMENT_BYTES } from '../../domain/contracts/tensor.ts';
import {
  arrayOfBytes,
  elementsIn,
  emptyArray,
  type ModelDatatype,
  type NumericDatatype,
  type TensorData,
} from '../model/tensors.ts';
import type { WireTensor } from './message.ts';
import { malformed } from './problem.ts';

type Numbers = Exclude<TensorData, readonly string[]>;

/** Values that integers of a datatype can hold. JSON's numbers are exact to 2^53, so 64-bit integers in JSON end there; in binary they do not. */
const RANGES: Readonly<Partial<Record<ModelDatatype, readonly [number, number]>>> = {
  INT8: [-128, 127],
  INT16: [-32_768, 32_767],
  INT32: [-2_147_483_648, 2_147_483_647],
  INT64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UINT8: [0, 255],
  UINT16: [0, 65_535],
  UINT32: [0, 4_294_967_295],
  UINT64: [0, Number.MAX_SAFE_INTEGER],
  BOOL: [0, 1],
};
const MOST_HALF = 65_504;

/**
 * The elements of a tensor in the memory of `datatype`, which is the tensor's own or a wider float: FP16 and BF16 widen to FP32 without a
 * loss. Throws an InferenceProblem that says what was expected and where (`place`, as `inputs.0`).
 */
export function elementsOf(tensor: WireTensor, datatype: ModelDatatype, place: string): TensorData {
  const count = elementsIn(tensor.shape);
  if (!Number.isSafeInteger(count))
    throw malformed(`${place}.shape: ${shapeText(tensor.shape)} holds too many elements`);
  const { data } = tensor;
  if (data.kind === 'bytes') return ofBytes(tensor, data.bytes, datatype, count, place);
  return datatype === 'BYTES'
    ? textsOf(tensor, data.values, count, place)
    : numbersOfJson(tensor, data.values, datatype, count, place);
}

// ---- JSON

function numbersOfJson(
  tensor: WireTensor,
  values: readonly unknown[],
  datatype: NumericDatatype,
  count: number,
  place: string,
): Numbers {
  const given = flat(tensor, values, count, place);
  const numbers = emptyArray(datatype, count);
  const half = datatype === 'FP16' ? halves(numbers) : null;
  for (let at = 0; at < count; at += 1) {
    const raw = given[at];
    const value = datatype === 'BOOL' && typeof raw === 'boolean' ? Number(raw) : raw;
    const problem = typeof value === 'number' ? unfit(datatype, value) : `a number (${tensor.datatype})`;
    if (problem !== null) throw malformed(`${place}.data: element ${at}: expected ${problem}`);
    if (half) half[at] = value as number;
    else if (numbers instanceof BigInt64Array || numbers instanceof BigUint64Array)
      numbers[at] = BigInt(value as number);
    else numbers[at] = value as number;
  }
  return numbers;
}

function textsOf(tensor: WireTensor, values: readonly unknown[], count: number, place: string): readonly string[] {
  return flat(tensor, values, count, place).map((value, at) => {
    if (typeof value !== 'string') throw malformed(`${place}.data: element ${at}: expected a text (BYTES)`);
    return value;
  });
}

/**
 * The values one after the other. OIP v2 allows flat data and data nested as its shape says; both are row-major, and anything between is refused.
 * Before any memory is taken for a shape that the data cannot fill.
 */
function flat({ shape }: WireTensor, values: readonly unknown[], count: number, place: string): readonly unknown[] {
  if (!Array.isArray(values[0])) {
    if (values.length === count) return values;
    throw malformed(`${place}.data: the shape ${shapeText(shape)} holds ${count} elements, got ${values.length}`);
  }
  const leaves: unknown[] = [];
  const nested = (part: unknown, depth: number): void => {
    const length = shape[depth];
    if (length === undefined) return void leaves.push(part);
    if (!Array.isArray(part) || part.length !== length)
      throw malformed(`${place}.data: expected nested arrays of the shape ${shapeText(shape)}`);
    for (const item of part) nested(item, depth + 1);
  };
  nested(values, 0);
  return leaves;
}

/** Why `value` is no element of the datatype; null where it is one. */
function unfit(datatype: NumericDatatype, value: number): string | null {
  if (!Number.isFinite(value)) return `a finite ${datatype} number`;
  switch (datatype) {
    case 'FP64':
      return null;
    case 'FP32':
      return Number.isFinite(Math.fround(value)) ? null : 'a number within the range of FP32';
    case 'FP16':
      return Math.abs(value) <= MOST_HALF ? null : 'a number within the range of FP16';
    default: {
      const [least, most] = RANGES[datatype] ?? [0, 0];
      return Number.isInteger(value) && value >= least && value <= most
        ? null
        : `a whole number from ${least} to ${most} (${datatype})`;
    }
  }
}

// ---- binary

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function ofBytes(
  tensor: WireTensor,
  bytes: Uint8Array,
  datatype: ModelDatatype,
  count: number,
  place: string,
): TensorData {
  const size = ELEMENT_BYTES[tensor.datatype];
  if (size === null || datatype === 'BYTES') return textsOfBytes(tensor, bytes, count, place);
  if (bytes.length !== count * size)
    throw malformed(
      `${place}: the shape ${shapeText(tensor.shape)} of ${tensor.datatype} takes ${count * size} bytes, got ${bytes.length}`,
    );
  const numbers =
    tensor.datatype === datatype ? arrayOfBytes(datatype, bytes) : widened(tensor.datatype, bytes, datatype, count);
  demandFinite(datatype, numbers, place);
  return numbers;
}

function widened(from: WireTensor['datatype'], bytes: Uint8Array, to: NumericDatatype, count: number): Numbers {
  const numbers = emptyArray(to, count) as Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const half = new Uint16Array(1);
  const asHalf = halves(half);
  const single = new DataView(new ArrayBuffer(4));
  for (let index = 0; index < count; index += 1) {
    if (from === 'FP32') numbers[index] = view.getFloat32(4 * index, true);
    else if (from === 'BF16') {
      single.setUint16(0, view.getUint16(2 * index, true));
      numbers[index] = single.getFloat32(0);
    } else {
      half[0] = view.getUint16(2 * index, true);
      numbers[index] = asHalf[0] ?? NaN;
    }
  }
  return numbers;
}

function demandFinite(datatype: NumericDatatype, numbers: Numbers, place: string): void {
  if (datatype === 'FP16') {
    const bits = numbers as Uint16Array;
    const at = bits.findIndex((one) => (one & 0x7c00) === 0x7c00);
    if (at >= 0) throw malformed(`${place}.data: element ${at}: expected a finite FP16 number`);
  } else if (datatype === 'FP32' || datatype === 'FP64') {
    const floats = numbers as Float32Array;
    for (let at = 0; at < floats.length; at += 1)
      if (!Number.isFinite(floats[at]))
        throw malformed(`${place}.data: element ${at}: expected a finite ${datatype} number`);
  } else if (datatype === 'BOOL') {
    const at = (numbers as Uint8Array).findIndex((one) => one > 1);
    if (at >= 0) throw malformed(`${place}.data: element ${at}: expected 0 or 1 (BOOL)`);
  }
}

function textsOfBytes({ shape }: WireTensor, bytes: Uint8Array, count: number, place: string): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Infinity;
    if (at + 4 + length > bytes.length)
      throw malformed(`${place}: element ${texts.length} of BYTES is cut off at byte ${bytes.length}`);
    try {
      texts.push(utf8.decode(bytes.subarray(at + 4, at + 4 + length)));
    } catch {
      throw malformed(`${place}: element ${texts.length} of BYTES is not UTF-8, the only text that models take here`);
    }
    at += 4 + length;
  }
  if (texts.length !== count)
    throw malformed(`${place}: the shape ${shapeText(shape)} holds ${count} elements, got ${texts.length}`);
  return texts;
}

/** Another view of the same bits, as numbers. */
function halves(bits: Numbers): { [index: number]: number } {
  // Node.js has had Float16Array since 24; TypeScript's library for ES2023 does not know it.
  const { Float16Array } = globalThis as unknown as {
    Float16Array: new (buffer: ArrayBuffer, at: number, length: number) => { [index: number]: number };
  };
  return new Float16Array(bits.buffer, bits.byteOffset, bits.length);
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
