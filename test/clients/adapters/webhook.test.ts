import { describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { createPlatformAdapter } from '../../../clients/adapters/adapter.ts';
import { createStoreLedger, withLedger } from '../../../clients/adapters/held-record.ts';
import type { Json } from '../../../clients/adapters/platform.ts';
import { createAutomationPlatform, createSignedCall } from '../../../clients/webhook/automation.ts';
import type { ModelRef, Stance } from '../../../domain/contracts/stance.ts';
import { digestOfJson } from '../../../domain/proofs/canonical-json.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { createFakeStore } from '../../fakes/store.ts';
import { isolated, shadow } from '../../gateway/station.ts';
import { bytesOf, listen, startRelay, stop } from './between.ts';
import { BOUND, conforms, ENDPOINT, readOrder, type Subject } from './conformance.ts';
import { openFrontDoor } from './front-door.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const WRONG = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

interface Call {
  type: string;
  data: { endpoint: string; order?: string; expect?: string; stance?: Stance; native?: Json };
}

/** What a user would write: a load balancer's pool behind a signed webhook. It believes the order's signature, not the caller's words. */
function createPool() {
  let native: { backends: string[]; note: string } = { backends: ['suspect'], note: '' };
  let held: Stance | null = null;
  const stateNow = (): Json => (held ? { stance: held as unknown as Json } : { native });
  const answer = ({ type, data }: Call): [number, unknown] => {
    const state = () => ({ stance: held, native, words: held?.kind ?? `pool of ${native.backends.join(', ')}` });
    if (type === 'lazaret.endpoint.read') return [200, state()];
    if (data.expect !== digestOfJson(stateNow())) return [409, { error: 'it was changed meanwhile' }];
    const signed = readOrder(data.order ?? '');
    if (signed.order.endpoint !== data.endpoint) return [403, { error: 'the order is for another endpoint' }];
    if (type === 'lazaret.native.restore') {
      held = null;
      native = data.native as typeof native;
      return [200, state()];
    }
    held = data.stance ?? null;
    return [200, state()];
  };
  return {
    answer,
    reset: () => {
      native = { backends: ['suspect'], note: '' };
      held = null;
    },
    native: () => ({ held, native }),
    answering: (): string | null => {
      if (held?.kind === 'isolated') return null;
      return held?.kind === 'shadow' ? held.model.version : (native.backends[0] ?? null);
    },
    meddle: () => void (native = { ...native, note: 'somebody was here' }),
    meddled: () => native.note !== '',
  };
}

const model = (version: string): ModelRef => {
  const object = { store: 'artifacts', digest: digestOf(version), bytes: 1, mediaType: 'm', name: 'm' } as const;
  return { version, artifact: object, signature: object };
};

async function start(): Promise<Subject> {
  const pool = createPool();
  const key = Buffer.alloc(32, 7);
  const server = createServer((request, response) => {
    void bytesOf(request).then((body) => {
      const say = (status: number, json: unknown) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
      };
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': given } = request.headers;
      const mac = createHmac('sha256', key)
        .update(`${String(id)}.${String(at)}.`)
        .update(body)
        .digest('base64');
      if (given !== `v1,${mac}`) return say(401, { error: 'the signature does not match' });
      say(...pool.answer(JSON.parse(body.toString('utf8')) as Call));
    });
  });
  const url = await listen(server);
  const relay = await startRelay(url, (_method, _path, _headers, body) => !body.includes('lazaret.endpoint.read'));
  const door = await openFrontDoor(() => Promise.resolve(pool.answering()));
  const store = createFakeStore();
  const at = (base: string, secret: string) => {
    const call = createSignedCall({ url: base, secret, timeoutMs: 3_000, now: () => new Date() });
    const platform = createAutomationPlatform(
      { endpoint: ENDPOINT, stances: ['shadow', 'isolated'], model: ENDPOINT },
      { call, probe: door.probe },
    );
    return createPlatformAdapter(withLedger(platform, createStoreLedger(store, ENDPOINT)), BOUND);
  };
  return {
    adapter: at(relay.url, SECRET),
    contained: isolated,
    shadow: shadow(model('golden')),
    impossible: { kind: 'fallback', rules: [{ when: null, scores: [1], reason: 'r' }] },
    reset: async () => {
      pool.reset();
      store.buckets.artifacts.clear();
      await Promise.resolve();
    },
    native: () => Promise.resolve(structuredClone(pool.native())),
    answering: door.answering,
    meddle: () => Promise.resolve(pool.meddle()),
    meddled: () => Promise.resolve(pool.meddled()),
    beforeNextChange: relay.beforeNextChange,
    away: at('http://127.0.0.1:9', SECRET),
    refused: at(relay.url, WRONG),
    close: async () => {
      await relay.close();
      await door.close();
      await stop(server);
    },
  };
}

conforms('webhook', start, { swaps: true, refuses: true });

describe('the secret of a webhook', () => {
  it.each(['secret', 'whsec_', `whsec_${Buffer.alloc(16).toString('base64')}`])('%j is refused', (secret) => {
    const make = () => createSignedCall({ url: 'http://127.0.0.1:9', secret, timeoutMs: 1, now: () => new Date() });
    expect(make).toThrow('whsec_');
  });
});
