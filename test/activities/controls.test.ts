import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fireSignatureControl, type FiredControl } from '../../activities/controls.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import type { ModelRef, Stance } from '../../domain/contracts/stance.ts';
import { createFakeStore } from '../fakes/store.ts';
import {
  fakeStore,
  isolated,
  KEYS,
  modelBytes,
  order,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  serving,
  shadow,
  SHAPE,
  type FakeStore,
  type RunningGateway,
} from '../gateway/station.ts';

/** The real gateway with the real loading path; what the activity stores, the gateway can fetch. */
const INCIDENT = 'digits-0123abcd';
let objects: FakeStore;
let gateway: RunningGateway;
let golden: ModelRef;
let deps: Pick<ActivityDependencies, 'adapter' | 'now' | 'signers' | 'store'>;

beforeEach(async () => {
  objects = fakeStore();
  golden = publish(objects, 'golden-1', modelBytes('golden'));
  gateway = await run(objects);
  await gateway.settled;
  const store = createFakeStore([]);
  deps = {
    adapter: () => gateway.adapter,
    now: () => new Date(),
    signers: { responder: KEYS.responder, registry: KEYS.registry, caseLog: KEYS.responder },
    store: {
      ...store,
      get: async (ref) => objects.objects.get(ref.digest) ?? (await store.get(ref)),
      put: async (kind, bytes, about) => {
        const ref = await store.put(kind, bytes, about);
        objects.objects.set(ref.digest, bytes);
        return ref;
      },
    },
  };
});
afterEach(() => gateway.close());
afterAll(removeTemporaryFolders);

const held = async (stance: Stance) => {
  await gateway.adapter.captureAndSwap('digits', order({ stance: serving(golden) }));
  await gateway.adapter.captureAndSwap('digits', order({ stance, incident: INCIDENT }));
};
const fire = async (incident = INCIDENT) => await fireSignatureControl(deps, { incident, endpoint: 'digits', golden });
const gateOf = (control: FiredControl) => ('gate' in control ? control.gate : null);
const toldOf = (control: FiredControl) => ('figure' in control ? control.figure.words : null);

describe('the control that keeps unsigned models out', () => {
  it('is fired on the real gateway: both planted models are refused, and the golden model answers as before', async () => {
    await held(shadow(golden));
    const before = await gateway.adapter.read('digits');
    const gate = gateOf(await fire());
    expect(gate).toMatchObject({ verdict: 'pass', figure: '2 of 2 refused' });
    expect(gate?.reason).toContain('the signature of planted-unsigned does not hold');
    expect(gate?.reason).toContain('the signature of planted-changed does not hold');
    expect(await gateway.adapter.read('digits')).toEqual(before);
    expect((await gateway.client.infer('digits', [ROW], SHAPE)).modelVersion).toBe('golden-1');
    expect(await gateway.metrics()).toMatch(/models_refused_total\{.*signature.*\} 2/);
  });

  it('is fired on an endpoint that goes on answering while it is watched', async () => {
    await held(serving(golden));
    expect(gateOf(await fire())?.verdict).toBe('pass');
  });

  it('is not fired where a broken control would open an isolated endpoint, and says so', async () => {
    await held(isolated);
    expect(toldOf(await fire())).toContain('in the stance "isolated"');
    expect((await gateway.adapter.read('digits')).stance.kind).toBe('isolated');
  });

  it('is not fired on an endpoint that another incident holds, nor by an adapter that loads models otherwise', async () => {
    await held(shadow(golden));
    expect(toldOf(await fire('digits-another'))).toContain('not held for this incident');
    const other = { ...gateway.adapter, describe: () => ({ adapter: 'kserve', captures: [], stances: [] }) };
    deps = { ...deps, adapter: () => other };
    expect(toldOf(await fire())).toContain('"kserve"');
  });

  it('fails for a gateway that loads what it should refuse, and gives its stance back', async () => {
    await held(shadow(golden));
    const orders: string[] = [];
    const gullible: EndpointAdapter = {
      ...gateway.adapter,
      captureAndSwap: async (endpoint, token) => {
        orders.push(token);
        // It obeys everything; what it is given back is a stance that the real one takes.
        return await gateway.adapter.captureAndSwap(
          endpoint,
          orders.length === 1 ? order({ stance: serving(golden), incident: INCIDENT }) : token,
        );
      },
    };
    deps = { ...deps, adapter: () => gullible };
    expect(gateOf(await fire())).toMatchObject({ verdict: 'fail', figure: '0 of 2 refused' });
    expect(orders).toHaveLength(2);
    expect((await gateway.adapter.read('digits')).stance).toEqual(shadow(golden));
  });

  it('proves nothing where the refusal has another reason, and is tried again where the endpoint is away', async () => {
    await held(shadow(golden));
    deps = { ...deps, now: () => new Date(0) };
    expect(gateOf(await fire())).toMatchObject({ verdict: 'inconclusive', figure: '0 of 2 refused' });
    await gateway.close();
    await expect(fire()).rejects.toMatchObject({ code: 'endpoint/unreachable' });
    gateway = await run(objects);
  });
});
