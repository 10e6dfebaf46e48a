import { randomUUID } from 'node:crypto';
import type { GatewayMetrics } from '../metrics.ts';
import type { TensorSpec } from '../model/tensors.ts';
import type { Arm } from '../stance/counters.ts';
import type { Endpoint } from '../stance/endpoint.ts';
import { loadedBy } from '../stance/posture.ts';
import { RULES_VERSION, type Answer } from './answer.ts';
import { createFairShare } from './fair-share.ts';
import type { InferenceAnswer, InferenceRequest } from './message.ts';
import { InferenceProblem } from './problem.ts';

/** What both wires offer. One endpoint is one model name; which version answers is the stance's business. Everything in a request is a stranger's. */
export interface Surface {
  readonly server: { readonly name: string; readonly version: string; readonly extensions: readonly string[] };
  /** Does every endpoint know what it has to do? */
  ready(): boolean;
  modelReady(model: string, version?: string): boolean;
  metadata(model: string, version?: string): ModelMetadata;
  index(): readonly IndexEntry[];
  /** `read` is asked once it is clear that anybody answers: an isolated endpoint spends nothing on a body. */
  infer(
    model: string,
    read: () => InferenceRequest | Promise<InferenceRequest>,
  ): Promise<{ request: InferenceRequest; answer: InferenceAnswer }>;
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE';
  readonly reason: string;
}

const RETRY_AFTER_ISOLATION_S = 30;
/** Requests of an endpoint that are under way at once; fewer than a model's thread lets wait. */
const PLACES = 400;
/** Triton's names of them: https://github.com/triton-inference-server/server/tree/main/docs/protocol */
const EXTENSIONS = ['binary_tensor_data', 'model_repository(index)'];

export function createSurface(deps: {
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly answer: Answer;
  readonly metrics: GatewayMetrics;
  readonly version: string;
  readonly ticks: () => number;
}): Surface {
  const { endpoints, metrics } = deps;
  const endpointOf = (model: string): Endpoint => {
    const endpoint = endpoints.get(model);
    if (!endpoint) throw new InferenceProblem('not-found', `there is no model ${JSON.stringify(model.slice(0, 100))}`);
    return endpoint;
  };

  const shares = new Map([...endpoints.values()].map((endpoint) => [endpoint, createFairShare(PLACES)]));

  return {
    server: { name: 'lazaret-gateway', version: deps.version, extensions: EXTENSIONS },
    ready: () => [...endpoints.values()].every((endpoint) => endpoint.known()),
    modelReady: (model, version) => versionsOf(endpointOf(model)).some((one) => [undefined, one].includes(version)),
    metadata: (model, version) => metadataOf(endpointOf(model), version),
    index: () =>
      [...endpoints.values()].flatMap((endpoint): IndexEntry[] => {
        const posture = endpoint.posture();
        const { name } = endpoint;
        if (posture.answers === 'nobody') return [{ name, version: '', state: 'UNAVAILABLE', reason: posture.reason }];
        return versionsOf(endpoint).map((version) => ({ name, version, state: 'READY', reason: '' }));
      }),

    async infer(model, read) {
      const endpoint = endpointOf(model);
      const started = deps.ticks();
      const seconds = () => (deps.ticks() - started) / 1000;
      try {
        const posture = endpoint.posture();
        if (posture.answers === 'nobody') {
          posture.tally.refused();
          throw isolated(posture.reason);
        }
        const request = await read();
        const leave = shares.get(endpoint)?.enter(request.client, request.address);
        try {
          const { arm, answer } = await deps.answer(endpoint, request);
          metrics.answered(endpoint.name, arm, 200, seconds());
          return { request, answer };
        } finally {
          leave?.();
        }
      } catch (error) {
        const status = error instanceof InferenceProblem ? error.status : 500;
        const arm: Arm | 'none' = 'none';
        metrics.answered(endpoint.name, arm, status, seconds());
        endpoint.requestLog.refused(status);
        throw error;
      }
    },
  };
}

/** An id for a request that came with none. */
export function newRequestId(): string {
  return randomUUID();
}

const MAX_WORD_CHARACTERS = 200;
const VISIBLE = /^[\x21-\x7e]+$/;

/** What a client says of itself, where it is one visible word; null otherwise. Good for telling clients apart, never for trusting one. */
export function wordOf(value: unknown): string | null {
  return typeof value === 'string' && value.length <= MAX_WORD_CHARACTERS && VISIBLE.test(value) ? value : null;
}

function isolated(reason: string): InferenceProblem {
  return new InferenceProblem('isolated', reason, { retryAfter: RETRY_AFTER_ISOLATION_S });
}

function versionsOf(endpoint: Endpoint): readonly string[] {
  const posture = endpoint.posture();
  switch (posture.answers) {
    case 'model':
      return [posture.live, ...(posture.candidate ? [posture.candidate.model] : [])].map((model) => model.ref.version);
    case 'rules':
      return [RULES_VERSION];
    case 'nobody':
      return [];
  }
}

function metadataOf(endpoint: Endpoint, version: string | undefined): ModelMetadata {
  const posture = endpoint.posture();
  const versions = versionsOf(endpoint);
  if (posture.answers === 'nobody') throw isolated(posture.reason);
  if (version !== undefined && !versions.includes(version))
    throw new InferenceProblem('not-found', `${endpoint.name} answers with ${versions.join(', ')}`);
  if (posture.answers === 'rules')
    return { name: endpoint.name, versions, platform: 'lazaret_rules', inputs: [], outputs: [] };
  const found = loadedBy(posture).find(([, model]) => model.ref.version === version);
  const { inputs, outputs } = (found?.[1] ?? posture.live).session.signature;
  return { name: endpoint.name, versions, platform: 'onnx_onnxv1', inputs, outputs };
}
