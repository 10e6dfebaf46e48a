import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlatformAdapter } from '../../../clients/adapters/adapter.ts';
import { createStoreLedger, withLedger } from '../../../clients/adapters/held-record.ts';
import { createJsonCall } from '../../../clients/adapters/json-call.ts';
import { createInferenceClient } from '../../../clients/inference/client.ts';
import { createProbe } from '../../../clients/inference/probe.ts';
import { createRepositoryPlatform } from '../../../clients/triton/repository.ts';
import type { Stance } from '../../../domain/contracts/stance.ts';
import { freePort } from '../../engines.ts';
import { createFakeStore } from '../../fakes/store.ts';
import { isolated, order } from '../../gateway/station.ts';
import { startRelay, type Relay } from './between.ts';
import { BOUND, conforms, ENDPOINT, type Subject } from './conformance.ts';
import { pythonEngine, startPython, type PythonServer } from './python-engine.ts';

const absent = pythonEngine('mlserver') ? null : 'no mlserver';
const folder = mkdtempSync(join(tmpdir(), 'lazaret-mlserver-'));
let server: PythonServer | null = null;
let bodies: Relay['bodies'] = [];
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A model that answers with what it was sent, twice: `digits`, which is the endpoint's, and `other`. */
const MODEL = `
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

class Echo(MLModel):
    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        values = NumpyCodec.decode_input(payload.inputs[0])
        return InferenceResponse(
            model_name=self.name, model_version=self.version, outputs=[NumpyCodec.encode_output("y", values)]
        )
`;

async function startServer(): Promise<PythonServer> {
  const [http, grpc, metrics] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(join(folder, 'echo.py'), MODEL);
  const settings = {
    host: '127.0.0.1',
    ...{ http_port: http, grpc_port: grpc, metrics_port: metrics },
    ...{ parallel_workers: 0, load_models_at_startup: true, metrics_endpoint: null, debug: false },
  };
  writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
  for (const name of [ENDPOINT, 'other']) {
    mkdirSync(join(folder, name));
    const about = { name, implementation: 'echo.Echo', parameters: { version: 'v1' } };
    writeFileSync(join(folder, name, 'model-settings.json'), JSON.stringify(about));
  }
  const url = `http://127.0.0.1:${http}`;
  return await startPython('mlserver', ['start', folder], url, `/v2/models/${ENDPOINT}/ready`, { PYTHONPATH: folder });
}

const store = createFakeStore();

async function start(): Promise<Subject> {
  server ??= await startServer();
  const { url } = server;
  const relay = await startRelay(url, (method, path) => method === 'POST' && /load$/.test(path));
  bodies = relay.bodies;
  const direct = createJsonCall({ whom: 'MLServer', base: url, timeoutMs: 5_000 });
  const at = (base: string, model: string) => {
    const call = createJsonCall({ whom: 'the model repository API', base, timeoutMs: 5_000 });
    const probe = createProbe({ base: url, timeoutMs: 5_000, refusals: [400, 404, 503], silence: false });
    const platform = createRepositoryPlatform({ model }, { call, probe });
    return createPlatformAdapter(withLedger(platform, createStoreLedger(store, ENDPOINT)), BOUND);
  };
  const stateOf = async (name: string): Promise<string | undefined> => {
    const { json } = await direct('POST', 'v2/repository/index', {});
    return (json as { name: string; state: string }[]).find((entry) => entry.name === name)?.state;
  };
  const client = createInferenceClient({ base: url, clientId: 'visitor' });
  const fallback: Stance = { kind: 'fallback', rules: [{ when: null, scores: [1], reason: 'r' }] };
  return {
    adapter: at(relay.url, ENDPOINT),
    contained: isolated,
    shadow: null,
    impossible: fallback,
    reset: async () => {
      for (const name of [ENDPOINT, 'other']) await direct('POST', `v2/repository/models/${name}/load`, {});
      store.buckets.artifacts.clear();
    },
    native: async () => await stateOf(ENDPOINT),
    answering: async () => (await client.infer(ENDPOINT, [[0, 0]], [2])).modelVersion,
    meddle: async () => void (await direct('POST', 'v2/repository/models/other/unload', {})),
    meddled: async () => (await stateOf('other')) === 'UNAVAILABLE',
    beforeNextChange: relay.beforeNextChange,
    away: at('http://127.0.0.1:9', ENDPOINT),
    refused: at(relay.url, 'no-such-model'),
    close: () => relay.close(),
  };
}

conforms('triton', start, { swaps: false, refuses: true, absent });

(absent === null ? describe : describe.skip)('the model repository API, by MLServer', () => {
  it('is never sent a parameter: no file, no configuration from outside', async () => {
    const subject = await start();
    await subject.reset();
    const receipt = await subject.adapter.captureAndSwap(ENDPOINT, order({ stance: isolated, incident: 'inc-1' }));
    await subject.adapter.restore(ENDPOINT, order({ stance: receipt.before.stance }));
    expect(bodies.map(({ path, body }) => [path, body])).toEqual([
      ['/v2/repository/models/digits/unload', '{}'],
      ['/v2/repository/models/digits/load', '{}'],
    ]);
    await subject.close();
  });

  it('does not give back a model whose version was changed in the repository meanwhile', async () => {
    const subject = await start();
    await subject.reset();
    const receipt = await subject.adapter.captureAndSwap(ENDPOINT, order({ stance: isolated, incident: 'inc-1' }));
    const settings = join(folder, ENDPOINT, 'model-settings.json');
    const about = (version: string) =>
      JSON.stringify({ name: ENDPOINT, implementation: 'echo.Echo', parameters: { version } });
    writeFileSync(settings, about('v2'));
    const back = () => subject.adapter.restore(ENDPOINT, order({ stance: receipt.before.stance }));
    await expect(back()).rejects.toThrow(
      'the repository now gives version v2 of digits, not v1; it was unloaded again',
    );
    expect(await subject.answering()).toBeNull();
    expect(await subject.adapter.read(ENDPOINT)).toMatchObject({ stance: isolated, incident: 'inc-1' });
    writeFileSync(settings, about('v1'));
    await back();
    expect(await subject.answering()).toBe('v1');
    await subject.close();
  });

  it('contains while the ledger is away and tells that; nothing else is obeyed until earlier orders are known again', async () => {
    const subject = await start();
    await subject.reset();
    store.away(true);
    const token = order({ stance: isolated, incident: 'inc-1' });
    const receipt = await subject.adapter.captureAndSwap(ENDPOINT, token);
    expect(receipt.before.cannotTell).toContain('earlier-orders');
    expect(await subject.answering()).toBeNull();
    const another = await start();
    const lift = order({ stance: receipt.before.stance });
    await expect(another.adapter.restore(ENDPOINT, lift)).rejects.toMatchObject({ code: 'storage/unavailable' });
    await another.close();
    store.away(false);
    expect(await subject.adapter.captureAndSwap(ENDPOINT, token)).toEqual(receipt);
    await subject.adapter.restore(ENDPOINT, order({ stance: receipt.before.stance }));
    expect(await subject.answering()).toBe('v1');
    await subject.close();
  });
});
