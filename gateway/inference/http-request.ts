import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { z } from 'zod';
import { DATATYPES, isDatatype } from '../../domain/contracts/tensor.ts';
import type { InferenceRequest, WireTensor } from './message.ts';
import { InferenceProblem, malformed } from './problem.ts';

const MAX_ID_CHARACTERS = 200;
const MAX_RANK = 16;
const MAX_TENSORS = 100;
const list = z.custom<readonly unknown[]>((value) => Array.isArray(value), { error: 'expected an array' });
const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional();
const name = z.string().max(1000);
const inputSchema = z.object({
  name,
  shape: z.array(z.number().int().min(1)).max(MAX_RANK),
  datatype: z.string().refine(isDatatype, { error: `expected one of ${DATATYPES.join(', ')}` }),
  parameters,
  // Large: its elements are checked once, when it is known what they have to be.
  data: list.optional(),
});
const bodySchema = z.object({
  id: z.string().max(MAX_ID_CHARACTERS).optional(),
  parameters,
  inputs: z.array(inputSchema).min(1).max(MAX_TENSORS),
  outputs: z.array(z.object({ name, parameters })).max(MAX_TENSORS).optional(),
});

type Parameters = z.output<typeof parameters>;

/**
 * Extensions of Triton's that change what an answer means. This server has none of them, and leaving one out in silence would be a wrong answer.
 * https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/
 */
const UNSUPPORTED = ['classification', 'shared_memory_region', 'sequence_id', 'sequence_start', 'sequence_end'];

export interface HttpInference {
  readonly body: Uint8Array;
  /** `Inference-Header-Content-Length`: bytes of JSON before the tensors; absent where all is JSON. */
  readonly headerLength: string | undefined;
  readonly client: string;
  readonly address: string;
  readonly version: string | null;
  readonly newId: () => string;
}

/** An inference request over HTTP, JSON alone or with the binary tensor data extension. Throws an InferenceProblem that says what was expected and where. */
export function readHttpInference({ body, headerLength, ...about }: HttpInference): InferenceRequest {
  if (body.length === 0) throw malformed('expected a JSON body');
  const length = headerLength === undefined ? body.length : lengthOf(headerLength, body.length);
  const parsed = bodySchema.safeParse(jsonOf(body.subarray(0, length)));
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`);
    throw malformed(places.slice(0, 5).join('; '));
  }
  const { data } = parsed;
  refuseUnsupported(data.parameters, 'parameters');
  const take = blobs(body.subarray(length));
  const inputs = data.inputs.map((input, index) => tensorOf(input, `inputs.${index}`, take));
  take.end();
  return {
    id: data.id || about.newId(),
    client: about.client,
    address: about.address,
    version: about.version,
    inputs,
    outputs: data.outputs?.length
      ? data.outputs.map((output, index) => {
          refuseUnsupported(output.parameters, `outputs.${index}.parameters`);
          return { name: output.name, binary: flagOf(output.parameters, 'binary_data', `outputs.${index}`) };
        })
      : null,
    binaryOutputs: flagOf(data.parameters, 'binary_data_output', 'parameters') ?? false,
  };
}

function lengthOf(text: string, most: number): number {
  const length = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (!(length > 0 && length <= most))
    throw malformed(
      `Inference-Header-Content-Length: expected 1 to ${most}, the size of the body, got ${JSON.stringify(text.slice(0, 20))}`,
    );
  return length;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw malformed('the body is not JSON (NaN and Infinity are no JSON numbers)');
  }
}

/** Hands out the bytes behind the JSON, one tensor after the other. */
function blobs(rest: Uint8Array) {
  let at = 0;
  const take = (size: number, place: string): Uint8Array => {
    if (at + size > rest.length)
      throw malformed(`${place}: binary_data_size is ${size}, and ${rest.length - at} bytes are left behind the JSON`);
    at += size;
    return rest.subarray(at - size, at);
  };
  take.end = (): void => {
    if (at < rest.length) throw malformed(`${rest.length - at} bytes are left behind the last tensor`);
  };
  return take;
}

function tensorOf(
  { name: tensorName, shape, datatype, data, parameters: about }: z.output<typeof inputSchema>,
  place: string,
  take: ReturnType<typeof blobs>,
): WireTensor {
  refuseUnsupported(about, `${place}.parameters`);
  const size = about?.['binary_data_size'];
  const tensor = { name: tensorName, shape, datatype };
  if (size === undefined) {
    if (!data) throw malformed(`${place}: expected data, or parameters.binary_data_size`);
    return { ...tensor, data: { kind: 'values', values: data } };
  }
  if (data) throw malformed(`${place}: expected data or binary_data_size, got both`);
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0)
    throw malformed(`${place}.parameters.binary_data_size: expected a number of bytes`);
  return { ...tensor, data: { kind: 'bytes', bytes: take(size, place) } };
}

function flagOf(about: Parameters, key: string, place: string): boolean | null {
  const value = about?.[key];
  if (value === undefined) return null;
  if (typeof value !== 'boolean') throw malformed(`${place}: ${key}: expected true or false`);
  return value;
}

function refuseUnsupported(about: Parameters, place: string): void {
  const found = UNSUPPORTED.find((key) => about?.[key] !== undefined && about[key] !== 0 && about[key] !== false);
  if (found !== undefined) throw malformed(`${place}: the extension ${found} is not supported`);
}

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;

/** The body without its Content-Encoding. `most` bytes at most come out, whatever a bomb promises. */
export async function decoded(body: Buffer, encoding: string | undefined, most: number): Promise<Buffer> {
  if (encoding === undefined || encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'deflate')
    throw malformed(
      `Content-Encoding: expected gzip, deflate or identity, got ${JSON.stringify(encoding.slice(0, 50))}`,
    );
  try {
    return await DECODERS[encoding](body, { maxOutputLength: most });
  } catch (cause) {
    if (isTooLarge(cause)) throw new InferenceProblem('too-large', `the body is larger than ${most} bytes`, { cause });
    throw malformed(`the body is not ${encoding}`);
  }
}

function isTooLarge(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
