import { readFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { Failure } from '../../domain/incident/failure.ts';

export interface Answer {
  readonly status: number;
  /** Null where the body is no JSON. */
  readonly json: unknown;
  readonly text: string;
}
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
/** One request of a platform's API. `body` is sent as JSON unless it is bytes. Fails with `endpoint/unreachable` where no whole answer comes. */
export type JsonCall = (
  method: Method,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

export interface CallOptions {
  /** What the messages call the other side, e.g. `the Kubernetes API`. */
  readonly whom: string;
  readonly base: string;
  /** Asked for each request. `body` is what goes over the line. */
  readonly headers?: (call: {
    readonly method: Method;
    readonly url: URL;
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  }) => Promise<Record<string, string>>;
  /** PEM file of the authority that vouches for the other side; Node's own list otherwise. */
  readonly caFile?: string | undefined;
  readonly timeoutMs: number;
}

/** An API that answers with more is not what it says it is. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const KEEP_ALIVE_MS = 60_000;
const MAX_SOCKETS = 8;

/** Calls over kept connections: no handshake in the middle of an incident. Redirects are not followed, or the credential would go along. */
export function createJsonCall(options: CallOptions): JsonCall {
  const base = new URL(options.base.endsWith('/') ? options.base : `${options.base}/`);
  const secure = base.protocol === 'https:';
  const pool = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxSockets: MAX_SOCKETS };
  const agent = secure
    ? new TlsAgent({ ...pool, ca: options.caFile && textOf(options.caFile, 'the certificate authority') })
    : new Agent(pool);
  const send = secure ? tlsRequest : request;

  const once = async (
    method: Method,
    url: URL,
    body: string,
    given: Readonly<Record<string, string>>,
  ): Promise<Answer> => {
    const own = {
      accept: 'application/json',
      ...(body === '' ? {} : { 'content-type': 'application/json' }),
      ...given,
    };
    const headers = { ...own, ...(await options.headers?.({ method, url, body, headers: own })) };
    return await new Promise((resolve, reject) => {
      const call = send(url, {
        method,
        agent,
        signal: AbortSignal.timeout(options.timeoutMs),
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      });
      call.on('error', reject);
      call.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES)
            response.destroy(new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`));
        });
        response.on('error', reject);
        response.on('aborted', () => reject(new Error('the answer was cut off')));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, json: jsonOf(text), text });
        });
      });
      call.end(body);
    });
  };

  return async (method, path, body, headers = {}) => {
    const url = new URL(path.replace(/^\//, ''), base);
    const payload = body === undefined ? '' : JSON.stringify(body);
    try {
      // The other side may close an idle connection under the request. A PUT names the version it replaces.
      return await once(method, url, payload, headers).catch((error: unknown) => {
        if (method === 'POST' || method === 'DELETE' || !wasReset(error)) throw error;
        return once(method, url, payload, headers);
      });
    } catch (cause) {
      if (cause instanceof Failure) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Failure('endpoint/unreachable', `${options.whom} does not answer: ${why}`, { cause });
    }
  };
}

/** A file that lazaret.yaml names. Fails with `endpoint/refused`: until somebody mends it, nothing can be asked. */
export function textOf(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new Failure('endpoint/refused', `${what} cannot be read from its file`, { cause });
  }
}

/** Headers with the token of a file, read anew for each request: tokens of service accounts rotate. */
export function bearerOf(file: string, what: string): () => Promise<Record<string, string>> {
  return async () => await Promise.resolve({ authorization: `Bearer ${textOf(file, what)}` });
}

/** The Failure behind an answer that is no success: what may go better later is `endpoint/unreachable`, the rest `endpoint/refused`. */
export function failureOf(whom: string, { status, json, text }: Answer): Failure {
  const said = sentenceOf(json) ?? text.slice(0, 300);
  const detail = `${whom} answers ${status}${said ? `: ${said}` : ''}`;
  const later = status === 408 || status === 409 || status === 429 || status >= 500;
  return new Failure(later ? 'endpoint/unreachable' : 'endpoint/refused', detail);
}

/** What Kubernetes, Triton, AWS and problem documents each call their sentence. */
function sentenceOf(json: unknown): string | null {
  if (typeof json !== 'object' || json === null) return null;
  for (const name of ['message', 'error', 'detail', 'Message']) {
    const said: unknown = (json as Record<string, unknown>)[name];
    if (typeof said === 'string' && said !== '') return said.slice(0, 300);
  }
  return null;
}

function wasReset(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
