import type { Datatype } from '../../domain/contracts/tensor.ts';

/** ONNX Runtime's name of a datatype. It has none for BF16 in Node.js. */
export const ENGINE_TYPES = {
  FP32: 'float32',
  FP64: 'float64',
  FP16: 'float16',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  BOOL: 'bool',
  BYTES: 'string',
} as const satisfies Partial<Record<Datatype, string>>;
/** What a served model may take and give. */
export type ModelDatatype = keyof typeof ENGINE_TYPES;

export function datatypeOf(engineType: string): ModelDatatype | null {
  for (const [datatype, name] of Object.entries(ENGINE_TYPES))
    if (name === engineType) return datatype as ModelDatatype;
  return null;
}

export interface TensorSpec {
  readonly name: string;
  readonly datatype: ModelDatatype;
  /** -1 where the model leaves a dimension open. */
  readonly shape: readonly number[];
}

/** What a model takes and gives. The scores are its first float output, the one that is counted and logged. */
export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly scores: string;
}

/** Numbers in the memory of their datatype (FP16 as its bits); texts of BYTES, which the engine takes as UTF-8. */
export type TensorData =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | readonly string[];

/** A tensor of a request or an answer: `data` is flat, row-major in `shape`. */
export interface Tensor {
  readonly name: string;
  readonly datatype: ModelDatatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const ARRAYS = {
  FP32: Float32Array,
  FP64: Float64Array,
  FP16: Uint16Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  BOOL: Uint8Array,
} as const satisfies Record<Exclude<ModelDatatype, 'BYTES'>, unknown>;
export type NumericDatatype = keyof typeof ARRAYS;
type Numbers = Exclude<TensorData, readonly string[]>;
/** All of them are made in the same way. */
const maker = (datatype: NumericDatatype) => ARRAYS[datatype] as unknown as new (from: ArrayBuffer | number) => Numbers;

/** The memory of little-endian bytes; a copy, because an array needs its elements aligned and the bytes are part of a body. */
export function arrayOfBytes(datatype: NumericDatatype, bytes: Uint8Array): Numbers {
  const buffer = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(buffer).set(bytes);
  return new (maker(datatype))(buffer);
}

export function emptyArray(datatype: NumericDatatype, length: number): Numbers {
  return new (maker(datatype))(length);
}

/** The bytes of the binary tensor data extension. */
export function bytesOf({ data }: Pick<Tensor, 'data'>): Uint8Array {
  if (!Array.isArray(data)) {
    const numbers = data as Numbers;
    return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  }
  const texts = (data as readonly string[]).map((text) => Buffer.from(text, 'utf8'));
  const whole = Buffer.alloc(texts.reduce((sum, text) => sum + 4 + text.length, 0));
  let at = 0;
  for (const text of texts) {
    at = whole.writeUInt32LE(text.length, at);
    at += text.copy(whole, at);
  }
  return whole;
}

/** Elements that a shape holds. */
export function elementsIn(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}
