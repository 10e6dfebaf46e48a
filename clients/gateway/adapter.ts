import { z } from 'zod';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import {
  endpointStatusSchema,
  forensicReceiptSchema,
  type EndpointStatus,
  type ForensicReceipt,
} from '../../domain/contracts/gateway.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { createProbe } from '../inference/probe.ts';
import { createAdminCall, type AdminResponse } from './admin-call.ts';

const problemSchema = z.object({ detail: z.string().optional(), code: z.string().optional() });

/**
 * The adapter for Lazaret's own gateway. Fails with `endpoint/unreachable` (nobody answers, or not now: worth trying again) or
 * `endpoint/refused` (the gateway understood and does not obey).
 */
export function createGatewayAdapter(options: {
  /** Base URL of the admin surface. */
  readonly admin: string;
  /** Base URL of the Open Inference Protocol v2 surface, without `/v2`. */
  readonly inference: string;
  readonly token: string;
  /** For each call. */
  readonly timeoutMs: number;
}): EndpointAdapter {
  const { timeoutMs } = options;
  const call = createAdminCall({ base: options.admin, token: options.token, timeoutMs });
  const probe = createProbe({ base: options.inference, timeoutMs, refusals: [503], silence: false });

  async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<AdminResponse> {
    let response: AdminResponse;
    try {
      response = await call(method, path, body);
    } catch (cause) {
      throw new Failure('endpoint/unreachable', `the gateway's admin surface does not answer: ${textOf(cause)}`, {
        cause,
      });
    }
    if (response.status >= 200 && response.status < 300) return response;
    throw failureOf(response);
  }

  const place = (endpoint: string) => `/admin/v1/endpoints/${encodeURIComponent(endpoint)}`;
  const capture = ({ captureId }: ForensicReceipt) => `/admin/v1/captures/${encodeURIComponent(captureId)}`;

  async function read(endpoint: string): Promise<EndpointStatus> {
    return parse(endpointStatusSchema, await ask('GET', place(endpoint)));
  }
  async function order(endpoint: string, token: string): Promise<ForensicReceipt> {
    return parse(forensicReceiptSchema, await ask('POST', `${place(endpoint)}/stance`, { order: token }));
  }

  return {
    read,
    captureAndSwap: order,
    restore: order,
    verify: async (endpoint, expected) => {
      const observed = await probe(endpoint);
      return { holds: observed.behaviour === expected, observed: observed.text };
    },
    describe: () => ({
      adapter: 'gateway',
      captures: ['stance', 'counters', 'model digest and signature status', 'model bytes', 'request window'],
      stances: ['serving', 'canary', 'mirror', 'limited', 'shadow', 'fallback', 'isolated'],
    }),
    window: async (receipt) => new Uint8Array((await ask('GET', `${capture(receipt)}/window`)).body),
    model: async (receipt, digest) => {
      try {
        const response = await ask('GET', `${capture(receipt)}/models/${encodeURIComponent(digest)}`);
        return new Uint8Array(response.body);
      } catch (error) {
        if (error instanceof Failure && error.cause instanceof NotThere) return null;
        throw error;
      }
    },
    forget: async (receipt) => void (await ask('DELETE', capture(receipt))),
  };
}

/** The marker of a 404 on a capture: the gateway is there, the bytes are not. */
class NotThere extends Error {}

function failureOf(response: AdminResponse): Failure {
  const problem = problemSchema.safeParse(jsonOf(response));
  const detail = (problem.success && problem.data.detail) || `status ${response.status}`;
  if (response.status === 429 || response.status >= 500)
    return new Failure('endpoint/unreachable', `the gateway cannot do it now: ${detail}`);
  const cause = response.status === 404 ? new NotThere(detail) : undefined;
  return new Failure('endpoint/refused', detail, { cause });
}

function parse<T>(schema: z.ZodType<T>, response: AdminResponse): T {
  const parsed = schema.safeParse(jsonOf(response));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Failure(
    'endpoint/refused',
    `the gateway's answer is not what was agreed, at ${issue?.path.join('.') || 'its top'}`,
    { cause: parsed.error },
  );
}

function jsonOf(response: AdminResponse): unknown {
  try {
    return JSON.parse(response.body.toString('utf8'));
  } catch {
    return null;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
