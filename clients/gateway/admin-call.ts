import { Agent, request, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';

export interface AdminResponse {
  readonly status: number;
  readonly body: Buffer;
}

export type AdminCall = (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) => Promise<AdminResponse>;

/** Containment is one call on a connection that is already there: no handshake in the middle of an incident. */
const KEEP_ALIVE_MS = 60_000;
const MAX_SOCKETS = 8;

/** Calls of one gateway's admin surface. Rejects where no whole answer comes within `timeoutMs`, a slow body included. */
export function createAdminCall(options: {
  readonly base: string;
  readonly token: string;
  readonly timeoutMs: number;
}): AdminCall {
  const base = new URL(options.base);
  const secure = base.protocol === 'https:';
  const pool = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxSockets: MAX_SOCKETS };
  const agent = secure ? new TlsAgent(pool) : new Agent(pool);
  const send = secure ? tlsRequest : request;

  const once = (method: string, path: string, payload: string | null): Promise<AdminResponse> =>
    new Promise((resolve, reject) => {
      const call = send(new URL(path, base), {
        method,
        agent,
        signal: AbortSignal.timeout(options.timeoutMs),
        headers: {
          authorization: `Bearer ${options.token}`,
          ...(payload === null
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
        },
      });
      call.on('error', reject);
      call.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('aborted', () => reject(new Error('the answer was cut off')));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
      });
      call.end(payload ?? undefined);
    });

  return async (method, path, body) => {
    const payload = body === undefined ? null : JSON.stringify(body);
    try {
      return await once(method, path, payload);
    } catch (error) {
      // The gateway closed an idle connection under the request. Orders are idempotent by their id, so once more is safe.
      if (!wasReset(error)) throw error;
      return await once(method, path, payload);
    }
  };
}

function wasReset(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
