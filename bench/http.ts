import { Agent, request } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** When the first line of the answer was here, on the clock of `performance.now()`. */
  readonly at: number;
}

export interface Caller {
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Reply>;
  close(): void;
}

const TIMEOUT_MS = 30_000;

/** Calls over connections that are kept, as a busy client's are: `sockets` of them at most. */
export function createCaller(sockets: number): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets, maxFreeSockets: sockets });
  return {
    post: (url, headers, body) =>
      new Promise((resolve, reject) => {
        const call = request(
          url,
          {
            method: 'POST',
            agent,
            timeout: TIMEOUT_MS,
            headers: {
              'content-type': 'application/json',
              'content-length': String(Buffer.byteLength(body)),
              ...headers,
            },
          },
          (response) => {
            const at = performance.now();
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('error', reject);
            response.on('end', () =>
              resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8'), at }),
            );
          },
        );
        call.on('error', reject);
        call.on('timeout', () => call.destroy(new Error(`${url} did not answer within ${TIMEOUT_MS / 1000} s`)));
        call.end(body);
      }),
    close: () => agent.destroy(),
  };
}
