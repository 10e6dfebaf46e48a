import type { Digest } from '../../domain/proofs/digest.ts';

/**
 * An ONNX model as the analysers see it. Whatever this reader has no name for (doc strings, metadata, functions, training info, fields of
 * later versions) is kept as `rest`, so that nothing in the file can differ without the graph hash seeing it.
 */
export interface OnnxModel {
  readonly irVersion: bigint;
  readonly opsets: readonly { readonly domain: string; readonly version: bigint }[];
  readonly graph: OnnxGraph;
  readonly rest: readonly Rest[];
}

/** A field that is compared by its bytes only. `message` is the protobuf message it stood in. */
export interface Rest {
  readonly message: string;
  readonly field: number;
  readonly digest: Digest;
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly values: readonly OnnxValue[];
  readonly rest: readonly Rest[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly OnnxAttribute[];
  readonly rest: readonly Rest[];
}

/** `type` (AttributeType) says which member counts; all are kept, because a hostile file may fill several. */
export interface OnnxAttribute {
  readonly name: string;
  readonly type: number;
  /** Name of a function's attribute this one stands for, or empty. */
  readonly reference: string;
  readonly float: number;
  readonly int: bigint;
  readonly string: Uint8Array;
  readonly tensor: OnnxTensor | null;
  readonly graph: OnnxGraph | null;
  readonly floats: readonly number[];
  readonly ints: readonly bigint[];
  readonly strings: readonly Uint8Array[];
  readonly tensors: readonly OnnxTensor[];
  readonly graphs: readonly OnnxGraph[];
  readonly rest: readonly Rest[];
}

export type FloatValues = Float32Array | Float64Array;

export interface OnnxTensor {
  readonly name: string;
  /** TensorProto.DataType, see DATA_TYPES. */
  readonly dataType: number;
  readonly dims: readonly number[];
  /** The elements of a FLOAT, FLOAT16, BFLOAT16 or DOUBLE tensor; null for every other type. */
  readonly values: FloatValues | null;
  /** The elements as `raw_data` would hold them (little-endian), however the file stored them. */
  readonly raw: Uint8Array;
  readonly rest: readonly Rest[];
}

/** An input, output or intermediate value. A dimension is a number, a symbol, or null where the file says nothing. */
export interface OnnxValue {
  readonly name: string;
  readonly elementType: number | null;
  readonly shape: readonly (number | string | null)[] | null;
  readonly rest: readonly Rest[];
}

/** TensorProto.DataType by number: name and bytes per element (null: packed below one byte, or text). */
export const DATA_TYPES: Readonly<Record<number, { readonly name: string; readonly bytes: number | null }>> = {
  1: { name: 'float', bytes: 4 },
  2: { name: 'uint8', bytes: 1 },
  3: { name: 'int8', bytes: 1 },
  4: { name: 'uint16', bytes: 2 },
  5: { name: 'int16', bytes: 2 },
  6: { name: 'int32', bytes: 4 },
  7: { name: 'int64', bytes: 8 },
  8: { name: 'string', bytes: null },
  9: { name: 'bool', bytes: 1 },
  10: { name: 'float16', bytes: 2 },
  11: { name: 'double', bytes: 8 },
  12: { name: 'uint32', bytes: 4 },
  13: { name: 'uint64', bytes: 8 },
  14: { name: 'complex64', bytes: 8 },
  15: { name: 'complex128', bytes: 16 },
  16: { name: 'bfloat16', bytes: 2 },
  17: { name: 'float8e4m3fn', bytes: 1 },
  18: { name: 'float8e4m3fnuz', bytes: 1 },
  19: { name: 'float8e5m2', bytes: 1 },
  20: { name: 'float8e5m2fnuz', bytes: 1 },
  21: { name: 'uint4', bytes: null },
  22: { name: 'int4', bytes: null },
  23: { name: 'float4e2m1', bytes: null },
  24: { name: 'float8e8m0', bytes: 1 },
};

export function dataTypeName(dataType: number): string {
  return DATA_TYPES[dataType]?.name ?? `data type ${dataType}`;
}
