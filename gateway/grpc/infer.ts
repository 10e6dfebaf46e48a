import { isDatatype, type Datatype } from '../../domain/contracts/tensor.ts';
import type { InferenceAnswer, InferenceRequest, WireData, WireTensor } from '../inference/message.ts';
import { malformed } from '../inference/problem.ts';
import { bytesOf } from '../model/tensors.ts';
import type { Contents, GrpcInferRequest, Long } from './messages.ts';

const MAX_ID_CHARACTERS = 200;
const MAX_RANK = 16;
const MAX_TENSORS = 100;

/** ModelInfer's request, with typed or raw contents. Throws an InferenceProblem that says what was expected and where. */
export function readGrpcInference(
  request: GrpcInferRequest,
  about: { readonly client: string; readonly address: string; readonly newId: () => string },
): InferenceRequest {
  const { inputs, outputs, rawInputContents: raw, id, modelVersion } = request;
  if (id.length > MAX_ID_CHARACTERS) throw malformed(`id: expected at most ${MAX_ID_CHARACTERS} characters`);
  if (inputs.length === 0 || inputs.length > MAX_TENSORS || outputs.length > MAX_TENSORS)
    throw malformed(`inputs: expected 1 to ${MAX_TENSORS} tensors, got ${inputs.length}`);
  if (raw.length > 0 && raw.length !== inputs.length)
    throw malformed(`raw_input_contents: expected none or one for each of ${inputs.length} inputs, got ${raw.length}`);
  return {
    id: id || about.newId(),
    client: about.client,
    address: about.address,
    version: modelVersion || null,
    inputs: inputs.map((input, index) => tensorOf(input, raw[index], `inputs.${index}`)),
    outputs: outputs.length > 0 ? outputs.map(({ name }) => ({ name, binary: true })) : null,
    binaryOutputs: true,
  };
}

function tensorOf(
  { name, datatype, shape, contents }: GrpcInferRequest['inputs'][number],
  raw: Uint8Array | undefined,
  place: string,
): WireTensor {
  if (!isDatatype(datatype))
    throw malformed(`${place}.datatype: ${JSON.stringify(datatype.slice(0, 20))} is none of the protocol's`);
  if (shape.length > MAX_RANK) throw malformed(`${place}.shape: expected at most ${MAX_RANK} dimensions`);
  const dims = shape.map(numberOf);
  if (!dims.every((dim) => Number.isSafeInteger(dim) && dim >= 1))
    throw malformed(`${place}.shape: expected whole numbers from 1`);
  const typed = contents !== null && Object.values(contents).some((list) => Array.isArray(list) && list.length > 0);
  if (raw !== undefined && typed) throw malformed(`${place}: expected contents or raw_input_contents, got both`);
  const data: WireData = raw !== undefined ? { kind: 'bytes', bytes: raw } : contentsOf(datatype, contents, place);
  return { name, datatype, shape: dims, data };
}

/** Where the protocol keeps the elements of each datatype. FP16 and BF16 have raw contents only. */
function contentsOf(datatype: Datatype, contents: Contents | null, place: string): WireData {
  const values = (of: readonly unknown[] | undefined): WireData => ({ kind: 'values', values: of ?? [] });
  switch (datatype) {
    case 'BOOL':
      return values(contents?.bool);
    case 'INT8':
    case 'INT16':
    case 'INT32':
      return values(contents?.int);
    case 'UINT8':
    case 'UINT16':
    case 'UINT32':
      return values(contents?.uint);
    case 'FP32':
      return values(contents?.fp32);
    case 'FP64':
      return values(contents?.fp64);
    // As bytes: beyond 2^53 a number would lose digits.
    case 'INT64':
    case 'UINT64': {
      const integers = (datatype === 'INT64' ? contents?.int64 : contents?.uint64) ?? [];
      const bytes = Buffer.alloc(8 * integers.length);
      integers.forEach((one, index) => bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(one.toString())), 8 * index));
      return { kind: 'bytes', bytes };
    }
    case 'BYTES':
      return {
        kind: 'bytes',
        bytes: Buffer.concat(
          (contents?.bytes ?? []).flatMap((element) => {
            const length = Buffer.alloc(4);
            length.writeUInt32LE(element.length);
            return [length, element];
          }),
        ),
      };
    case 'FP16':
    case 'BF16':
      throw malformed(`${place}: ${datatype} travels in raw_input_contents only`);
  }
}

function numberOf(value: Long | number): number {
  return typeof value === 'number' ? value : Number(value.toString());
}

/** Outputs go back raw, as Triton's do and its clients expect. */
export function writeGrpcAnswer({ model, version, id, outputs }: InferenceAnswer): object {
  return {
    modelName: model,
    modelVersion: version,
    id,
    outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    rawOutputContents: outputs.map((output) => bytesOf(output)),
  };
}
