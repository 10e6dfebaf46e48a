import { readFileSync } from 'node:fs';
import { createServer, request, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A relay before a platform's API, so that a test can act between an adapter's look and its write. */
export interface Relay {
  readonly url: string;
  /** Runs `act` once, when the next request that changes something has left the adapter and has not reached the platform. */
  beforeNextChange(act: () => Promise<void>): void;
  /** What was changed through it. */
  readonly bodies: { readonly path: string; readonly body: string }[];
  close(): Promise<void>;
}

export async function startRelay(
  upstream: string,
  changes: (method: string, path: string, headers: IncomingHttpHeaders, body: string) => boolean,
  options: { readonly caFile?: string } = {},
): Promise<Relay> {
  const base = new URL(upstream);
  const ca = options.caFile && readFileSync(options.caFile);
  let waiting: (() => Promise<void>) | null = null;
  const bodies: Relay['bodies'] = [];
  const server = createServer((incoming, outgoing) => {
    void relay(incoming).catch(() => outgoing.destroy());

    async function relay(from: IncomingMessage): Promise<void> {
      const body = await bytesOf(from);
      const { method = 'GET', url = '/' } = from;
      const change = changes(method, url, from.headers, body.toString('utf8'));
      if (change) bodies.push({ path: url, body: body.toString('utf8') });
      if (waiting && change) {
        const act = waiting;
        waiting = null;
        await act();
      }
      const send = base.protocol === 'https:' ? tlsRequest : request;
      const headers = { ...from.headers, host: base.host };
      const onward = send(new URL(url, base), {
        method,
        headers,
        agent: false,
        ...(ca ? { ca } : {}),
      });
      onward.on('error', () => outgoing.destroy());
      onward.on('response', (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.end(body);
    }
  });
  const url = await listen(server);
  return {
    url,
    bodies,
    beforeNextChange: (act) => void (waiting = act),
    close: () => stop(server),
  };
}

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function stop(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

export async function bytesOf(from: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
