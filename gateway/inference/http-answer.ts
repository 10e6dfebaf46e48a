import { numbersOf } from '../../domain/contracts/tensor.ts';
import { bytesOf, type Tensor } from '../model/tensors.ts';
import type { InferenceAnswer, InferenceRequest } from './message.ts';

export interface HttpAnswer {
  readonly body: Buffer;
  readonly contentType: string;
  /** `Inference-Header-Content-Length`, where tensors follow the JSON. */
  readonly headerLength: number | null;
}

/** JSON, and behind it the outputs that were asked for in binary. 64-bit integers beyond 2^53 are exact in binary only. */
export function writeHttpAnswer(
  answer: InferenceAnswer,
  request: Pick<InferenceRequest, 'outputs' | 'binaryOutputs'>,
): HttpAnswer {
  const blobs: Uint8Array[] = [];
  const outputs = answer.outputs.map((output) => {
    const { name, datatype, shape } = output;
    const asked = request.outputs?.find((one) => one.name === name)?.binary ?? request.binaryOutputs;
    if (!asked) return { name, datatype, shape, data: valuesOf(output) };
    const bytes = bytesOf(output);
    blobs.push(bytes);
    return { name, datatype, shape, parameters: { binary_data_size: bytes.length } };
  });
  const json = Buffer.from(
    JSON.stringify({ model_name: answer.model, model_version: answer.version, id: answer.id, outputs }),
  );
  if (blobs.length === 0) return { body: json, contentType: 'application/json; charset=utf-8', headerLength: null };
  return {
    body: Buffer.concat([json, ...blobs]),
    contentType: 'application/octet-stream',
    headerLength: json.length,
  };
}

function valuesOf(output: Tensor): readonly unknown[] {
  const { datatype, data } = output;
  if (datatype === 'BYTES') return data as readonly string[];
  if (datatype === 'BOOL') return Array.from(data as Uint8Array, (one) => one !== 0);
  if (datatype === 'FP16') return numbersOf('FP16', bytesOf(output));
  return Array.from(data as ArrayLike<number | bigint>, Number);
}
