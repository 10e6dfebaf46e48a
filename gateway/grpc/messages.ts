import protobuf from 'protobufjs';

/**
 * The messages of `inference.GRPCInferenceService`: names and numbers of the Open Inference Protocol v2
 * (https://github.com/kserve/open-inference-protocol, open_inference_grpc.proto), and of the repository index, which is Triton's.
 */
const { Root } = protobuf;
type Fields = Record<string, readonly [id: number, type: string, rule?: 'repeated']>;

const message = (fields: Fields) => ({
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, [id, type, rule]]) => [name, rule ? { id, type, rule } : { id, type }]),
  ),
});
const withMaps = (of: ReturnType<typeof message>, maps: Record<string, readonly [id: number, type: string]>) => ({
  fields: {
    ...of.fields,
    ...Object.fromEntries(Object.entries(maps).map(([name, [id, type]]) => [name, { id, type, keyType: 'string' }])),
  },
});

const named = { name: [1, 'string'], version: [2, 'string'] } as const;
const tensor = { name: [1, 'string'], datatype: [2, 'string'], shape: [3, 'int64', 'repeated'] } as const;

const root = Root.fromJSON({
  nested: {
    inference: {
      nested: {
        Empty: message({}),
        Live: message({ live: [1, 'bool'] }),
        Ready: message({ ready: [1, 'bool'] }),
        Named: message(named),
        ServerMetadata: message({ ...named, extensions: [3, 'string', 'repeated'] }),
        TensorMetadata: message(tensor),
        ModelMetadata: message({
          name: [1, 'string'],
          versions: [2, 'string', 'repeated'],
          platform: [3, 'string'],
          inputs: [4, 'TensorMetadata', 'repeated'],
          outputs: [5, 'TensorMetadata', 'repeated'],
        }),
        InferParameter: {
          oneofs: {
            choice: { oneof: ['boolParam', 'int64Param', 'stringParam', 'doubleParam', 'uint64Param'] },
          },
          ...message({
            boolParam: [1, 'bool'],
            int64Param: [2, 'int64'],
            stringParam: [3, 'string'],
            doubleParam: [4, 'double'],
            uint64Param: [5, 'uint64'],
          }),
        },
        Contents: message({
          bool: [1, 'bool', 'repeated'],
          int: [2, 'int32', 'repeated'],
          int64: [3, 'int64', 'repeated'],
          uint: [4, 'uint32', 'repeated'],
          uint64: [5, 'uint64', 'repeated'],
          fp32: [6, 'float', 'repeated'],
          fp64: [7, 'double', 'repeated'],
          bytes: [8, 'bytes', 'repeated'],
        }),
        Tensor: withMaps(message({ ...tensor, contents: [5, 'Contents'] }), { parameters: [4, 'InferParameter'] }),
        RequestedOutput: withMaps(message({ name: [1, 'string'] }), { parameters: [2, 'InferParameter'] }),
        InferRequest: withMaps(
          message({
            modelName: [1, 'string'],
            modelVersion: [2, 'string'],
            id: [3, 'string'],
            inputs: [5, 'Tensor', 'repeated'],
            outputs: [6, 'RequestedOutput', 'repeated'],
            rawInputContents: [7, 'bytes', 'repeated'],
          }),
          { parameters: [4, 'InferParameter'] },
        ),
        InferResponse: message({
          modelName: [1, 'string'],
          modelVersion: [2, 'string'],
          id: [3, 'string'],
          outputs: [5, 'Tensor', 'repeated'],
          rawOutputContents: [6, 'bytes', 'repeated'],
        }),
        IndexRequest: message({ repositoryName: [1, 'string'], ready: [2, 'bool'] }),
        IndexEntry: message({ ...named, state: [3, 'string'], reason: [4, 'string'] }),
        Index: message({ models: [1, 'IndexEntry', 'repeated'] }),
      },
    },
  },
});

export type MessageName =
  | 'Empty'
  | 'Live'
  | 'Ready'
  | 'Named'
  | 'ServerMetadata'
  | 'ModelMetadata'
  | 'InferRequest'
  | 'InferResponse'
  | 'IndexRequest'
  | 'Index';

/** An integer of 64 bits as the decoder gives it. */
export interface Long {
  toString(): string;
  toNumber?(): number;
}

export interface NamedRequest {
  readonly name: string;
  readonly version: string;
}

type Parameters = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface GrpcInferRequest {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly inputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly Long[];
    readonly parameters: Parameters;
    readonly contents: Contents | null;
  }[];
  readonly outputs: readonly { readonly name: string; readonly parameters: Parameters }[];
  readonly rawInputContents: readonly Uint8Array[];
}

export interface Contents {
  readonly bool: readonly boolean[];
  readonly int: readonly number[];
  readonly int64: readonly Long[];
  readonly uint: readonly number[];
  readonly uint64: readonly Long[];
  readonly fp32: readonly number[];
  readonly fp64: readonly number[];
  readonly bytes: readonly Uint8Array[];
}

/** Bytes to a message with every field there, and back. Throws where the bytes are none. */
export function codec<T>(name: MessageName): { decode(bytes: Uint8Array): T; encode(value: object): Buffer } {
  const type = root.lookupType(`inference.${name}`);
  return {
    // Defaults and empty lists of fields that were not sent are on the prototype.
    decode: (bytes) => type.decode(bytes) as T,
    encode: (value) => Buffer.from(type.encode(type.fromObject(value)).finish()),
  };
}
