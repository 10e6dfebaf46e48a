/** The tensors that can travel as JSON numbers: Open Inference Protocol v2 name by ONNX Runtime's. FP16, BF16 and BYTES have no such form. */
export const DATATYPES = {
  float32: 'FP32',
  float64: 'FP64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  bool: 'BOOL',
} as const;
export type ElementType = keyof typeof DATATYPES;
export type Datatype = (typeof DATATYPES)[ElementType];

export interface TensorSpec {
  readonly name: string;
  readonly type: ElementType;
  /** -1 where the model leaves a dimension open. */
  readonly shape: readonly number[];
}

/** What a model takes and gives. The scores are its first float output, the one that is counted and logged. */
export interface ModelSignature {
  readonly input: TensorSpec;
  readonly outputs: readonly TensorSpec[];
  readonly scores: string;
}

export type Elements =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/** The values that a type can hold. Integers above 2^53 do not survive JSON, so 64-bit types end there. */
const RANGES: Readonly<Record<Exclude<ElementType, 'float32' | 'float64'>, readonly [number, number]>> = {
  int8: [-128, 127],
  int16: [-32_768, 32_767],
  int32: [-2_147_483_648, 2_147_483_647],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint8: [0, 255],
  uint16: [0, 65_535],
  uint32: [0, 4_294_967_295],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  bool: [0, 1],
};

/** Why `value` is no element of the type; null where it is one. */
export function unfit(type: ElementType, value: number): string | null {
  if (!Number.isFinite(value)) return `a finite ${DATATYPES[type]} number`;
  if (type === 'float64') return null;
  if (type === 'float32') return Number.isFinite(Math.fround(value)) ? null : 'a number within the range of FP32';
  const [least, most] = RANGES[type];
  return Number.isInteger(value) && value >= least && value <= most
    ? null
    : `a whole number from ${least} to ${most} (${DATATYPES[type]})`;
}

/** Values to the memory that the engine takes. All of them have been found fit. */
export function elementsOf(type: ElementType, values: readonly number[]): Elements {
  switch (type) {
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return Float64Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'int16':
      return Int16Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, BigInt);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    case 'uint16':
      return Uint16Array.from(values);
    case 'uint32':
      return Uint32Array.from(values);
    case 'uint64':
      return BigUint64Array.from(values, BigInt);
  }
}

export function isElementType(text: string): text is ElementType {
  return Object.hasOwn(DATATYPES, text);
}
