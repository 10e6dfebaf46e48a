import { z } from 'zod';

/** What came back for one request: scores with status 200, a sentence with anything else. */
export interface InferenceReply {
  readonly status: number;
  /** One row per record; null where the endpoint did not answer. */
  readonly scores: readonly (readonly number[])[] | null;
  readonly problem: string | null;
  readonly modelVersion: string | null;
}

export interface InferenceMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  /** -1 where a dimension is open. */
  readonly shape: readonly number[];
}

/** A client of the Open Inference Protocol v2 over HTTP/JSON, as the users of an endpoint are. */
export interface InferenceClient {
  /**
   * `rows` are flat records; `shape` is the shape of one of them, e.g. [1, 8, 8]. The model's input is looked up once.
   * A refusal is a reply, not an error; rejects only where nobody answers.
   */
  infer(
    endpoint: string,
    rows: readonly (readonly number[])[],
    shape: readonly number[],
    id?: string,
  ): Promise<InferenceReply>;
  /** Null where the endpoint does not tell, because it is isolated or unknown. */
  metadata(endpoint: string): Promise<InferenceMetadata | null>;
}

const tensorMetadataSchema = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()) });
const metadataSchema = z.object({
  name: z.string(),
  versions: z.array(z.string()).default([]),
  inputs: z.array(tensorMetadataSchema),
  outputs: z.array(tensorMetadataSchema),
});
const responseSchema = z.object({
  model_version: z.string().optional(),
  outputs: z
    .array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()), data: z.array(z.number()) }))
    .min(1),
});
const refusalSchema = z.object({ error: z.string() });

/** What a model is asked with before it told its own input: rules take any name. */
const ANY_INPUT: TensorMetadata = { name: 'x', datatype: 'FP32', shape: [] };
const DEFAULT_TIMEOUT_MS = 30_000;

export function createInferenceClient(options: {
  /** Base URL, without `/v2`. */
  readonly base: string;
  readonly clientId: string;
  readonly timeoutMs?: number;
}): InferenceClient {
  const { base, clientId, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const inputs = new Map<string, TensorMetadata>();
  const url = (endpoint: string, rest: string) => new URL(`/v2/models/${encodeURIComponent(endpoint)}${rest}`, base);
  const call = (address: URL, init: RequestInit = {}) =>
    fetch(address, { ...init, signal: AbortSignal.timeout(timeoutMs) });

  async function metadata(endpoint: string): Promise<InferenceMetadata | null> {
    const response = await call(url(endpoint, ''));
    const body: unknown = await response.json().catch(() => null);
    return response.ok ? metadataSchema.parse(body) : null;
  }

  async function inputOf(endpoint: string): Promise<TensorMetadata> {
    const known = inputs.get(endpoint);
    if (known) return known;
    const [input] = (await metadata(endpoint))?.inputs ?? [];
    if (!input) return ANY_INPUT;
    inputs.set(endpoint, input);
    return input;
  }

  return {
    metadata,
    async infer(endpoint, rows, shape, id) {
      const input = await inputOf(endpoint);
      const response = await call(url(endpoint, '/infer'), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-client-id': clientId },
        body: JSON.stringify({
          ...(id === undefined ? {} : { id }),
          inputs: [{ name: input.name, datatype: input.datatype, shape: [rows.length, ...shape], data: rows.flat() }],
        }),
      });
      const body: unknown = await response.json().catch(() => null);
      if (!response.ok) {
        // Another model may be there by the time of the next request, with another input.
        inputs.delete(endpoint);
        const refusal = refusalSchema.safeParse(body);
        const problem = refusal.success ? refusal.data.error : `the endpoint answered ${response.status}`;
        return { status: response.status, scores: null, problem, modelVersion: null };
      }
      const { outputs, model_version: modelVersion = null } = responseSchema.parse(body);
      const scores = outputs.find((output) => output.datatype.startsWith('FP')) ?? outputs[0];
      return {
        status: response.status,
        scores: scores ? rowsOf(scores.data, rows.length) : null,
        problem: null,
        modelVersion,
      };
    },
  };
}

function rowsOf(data: readonly number[], count: number): number[][] {
  const width = data.length / count;
  return Array.from({ length: count }, (_, row) => data.slice(row * width, (row + 1) * width));
}
