import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import { createPlatformAdapter } from '../../../clients/adapters/adapter.ts';
import { createStoreLedger, withLedger } from '../../../clients/adapters/held-record.ts';
import { createJsonCall } from '../../../clients/adapters/json-call.ts';
import { createRuntimePlatform } from '../../../clients/envoy/runtime.ts';
import type { ModelRef, Stance } from '../../../domain/contracts/stance.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { createFakeStore } from '../../fakes/store.ts';
import { isolated, order, shadow } from '../../gateway/station.ts';
import { listen, startRelay, stop } from './between.ts';
import { BOUND, conforms, ENDPOINT, type Subject } from './conformance.ts';
import { openFrontDoor } from './front-door.ts';

/**
 * NOT Envoy: no binary of it can be had where this was built. A double of the parts of its admin interface that are used, after
 * https://www.envoyproxy.io/docs/envoy/latest/operations/admin (`/runtime`, `/runtime_modify`, `/server_info`, `/clusters?format=json`), with the
 * rules of a layered runtime: later layers win, and an empty value takes a key out of the admin layer.
 */
function createAdmin(options: { readonly adminLayer: boolean }) {
  const base: Record<string, string> = { 'lazaret.digits.suspect': '100', 'lazaret.digits.golden': '0' };
  const admin = new Map<string, string>();
  const valueOf = (key: string): string => admin.get(key) ?? base[key] ?? '';
  const server = createServer((request, response) => {
    request.resume();
    const url = new URL(request.url ?? '/', 'http://envoy');
    const say = (body: unknown, status = 200) => void response.writeHead(status).end(JSON.stringify(body));
    if (url.pathname === '/runtime_modify' && request.method === 'POST') {
      for (const [key, value] of url.searchParams)
        if (value === '') admin.delete(key);
        else admin.set(key, value);
      response.end('OK\n');
    } else if (url.pathname === '/runtime') {
      const keys = [...new Set([...Object.keys(base), ...admin.keys()])];
      const layer = (key: string) => (options.adminLayer ? [base[key] ?? '', admin.get(key) ?? ''] : [base[key] ?? '']);
      const entries = keys.map((key) => [key, { final_value: valueOf(key), layer_values: layer(key) }]);
      say({ layers: options.adminLayer ? ['static', 'admin'] : ['static'], entries: Object.fromEntries(entries) });
    } else if (url.pathname === '/server_info') say({ version: 'a double', state: 'LIVE' });
    else if (url.pathname === '/clusters') say({ cluster_statuses: [{ name: 'suspect' }, { name: 'golden' }] });
    else say('invalid path', 404);
  });
  /** What the route does that reads these keys. */
  const answering = (): string | null => {
    if (Number(valueOf('lazaret.digits.abort')) === 100) return null;
    return Number(valueOf('lazaret.digits.golden')) > Number(valueOf('lazaret.digits.suspect')) ? 'golden' : 'suspect';
  };
  return { server, admin, answering };
}

const model = (version: string): ModelRef => {
  const object = { store: 'artifacts', digest: digestOf(version), bytes: 1, mediaType: 'm', name: 'm' } as const;
  return { version, artifact: object, signature: object };
};
const fallback: Stance = { kind: 'fallback', rules: [{ when: null, scores: [1], reason: 'r' }] };

async function start(adminLayer = true): Promise<Subject & { readonly admin: Map<string, string> }> {
  const envoy = createAdmin({ adminLayer });
  const url = await listen(envoy.server);
  const relay = await startRelay(url, (_method, path) => path.startsWith('/runtime_modify'));
  const door = await openFrontDoor(() => Promise.resolve(envoy.answering()));
  const store = createFakeStore();
  const at = (base: string) => {
    const call = createJsonCall({ whom: "Envoy's admin interface", base, timeoutMs: 3_000 });
    const places = { [digestOf('golden')]: 'golden', [digestOf('suspect')]: 'suspect' };
    const platform = createRuntimePlatform(
      { prefix: 'lazaret.digits', places, model: ENDPOINT },
      { call, probe: door.probe },
    );
    return createPlatformAdapter(withLedger(platform, createStoreLedger(store, ENDPOINT)), BOUND);
  };
  return {
    adapter: at(relay.url),
    contained: isolated,
    shadow: shadow(model('golden')),
    impossible: fallback,
    reset: () => {
      envoy.admin.clear();
      envoy.admin.set('lazaret.digits.suspect', '90');
      store.buckets.artifacts.clear();
      return Promise.resolve();
    },
    native: () => {
      const ours = [...envoy.admin].filter(([key]) => key.startsWith('lazaret.digits.'));
      return Promise.resolve(Object.fromEntries(ours));
    },
    answering: door.answering,
    meddle: () => Promise.resolve(void envoy.admin.set('upstream.healthy_panic_threshold', '30')),
    meddled: () => Promise.resolve(envoy.admin.has('upstream.healthy_panic_threshold')),
    beforeNextChange: relay.beforeNextChange,
    away: at('http://127.0.0.1:9'),
    refused: at(`${relay.url}/elsewhere`),
    admin: envoy.admin,
    close: async () => {
      await relay.close();
      await door.close();
      await stop(envoy.server);
    },
  };
}

conforms('envoy', start, { swaps: true, refuses: true });

describe('the runtime of an Envoy', () => {
  it('without an admin layer is told apart: its keys could not be changed', async () => {
    const subject = await start(false);
    await expect(subject.adapter.read(ENDPOINT)).rejects.toThrow('no admin layer');
    await subject.close();
  });

  it('takes a canary as two weights', async () => {
    const subject = await start();
    const stance: Stance = { kind: 'canary', model: model('golden'), candidate: model('suspect'), share: 0.25 };
    await subject.adapter.captureAndSwap(ENDPOINT, order({ stance }));
    expect([subject.admin.get('lazaret.digits.golden'), subject.admin.get('lazaret.digits.suspect')]).toEqual([
      '75',
      '25',
    ]);
    await subject.close();
  });
});
