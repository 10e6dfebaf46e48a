import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPlatformAdapter } from '../../../clients/adapters/adapter.ts';
import { openRecord, sealRecord } from '../../../clients/adapters/held-record.ts';
import type { Json, Platform } from '../../../clients/adapters/platform.ts';
import type { Probe } from '../../../clients/inference/probe.ts';
import { virtualServiceStance } from '../../../clients/istio/virtual-service.ts';
import { inferenceServiceStance } from '../../../clients/kserve/inference-service.ts';
import { createKubernetesApi, type KubernetesApi, type Resource } from '../../../clients/kubernetes/api.ts';
import { ANNOTATIONS, createResourcePlatform } from '../../../clients/kubernetes/resource-platform.ts';
import { createWorkloadPlatform } from '../../../clients/kubernetes/workload.ts';
import type { EndpointAdapter } from '../../../domain/contracts/endpoint-adapter.ts';
import type { ModelRef, Stance } from '../../../domain/contracts/stance.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { isolated, order, shadow } from '../../gateway/station.ts';
import { startRelay } from './between.ts';
import { BOUND, conforms, ENDPOINT, type Subject } from './conformance.ts';
import { openFrontDoor } from './front-door.ts';
import { kubernetesMissing, startKubernetes, type KubernetesEngine } from './kubernetes-engine.ts';

const absent = kubernetesMissing();
let engine: KubernetesEngine;
beforeAll(async () => {
  if (absent === null) engine = await startKubernetes();
}, 60_000);
afterAll(async () => {
  if (absent === null) await engine.stop();
});

const model = (version: string): ModelRef => {
  const object = { store: 'artifacts', digest: digestOf(version), bytes: 1, mediaType: 'm', name: 'm' } as const;
  return { version, artifact: object, signature: object };
};
const fallback: Stance = { kind: 'fallback', rules: [{ when: null, scores: [1], reason: 'r' }] };

interface Played {
  readonly make: (api: KubernetesApi, probe: Probe) => Platform<Json>;
  /** Path of the resource, and what it is at the beginning. */
  readonly path: string;
  readonly initial: Resource;
  /** What the controllers and proxies that do not run here would do with it: who answers. */
  readonly answering: (resource: Resource, fenced: boolean) => string | null;
  /** Somebody else's change. */
  readonly meddle: (resource: Resource) => Resource;
  readonly meddled: (resource: Resource) => boolean;
  readonly shadow: Stance | null;
}

/** An endpoint in a real API server; the data plane is played by what the resource says. */
function subjectOf(played: Played): () => Promise<Subject> {
  return async () => {
    const relay = await startRelay(engine.server, (method) => method === 'PUT', { caFile: engine.caFile });
    const collection = played.path.slice(0, played.path.lastIndexOf('/'));
    const fencePath = 'apis/networking.k8s.io/v1/namespaces/models/networkpolicies/lazaret-digits';
    const get = async (): Promise<Resource> => (await engine.call('GET', played.path)).json as Resource;
    const fenced = async () => (await engine.call('GET', fencePath)).status === 200;
    const door = await openFrontDoor(async () => played.answering(await get(), await fenced()));
    const at = (server: string, tokenFile: string): EndpointAdapter => {
      const caFile = server.startsWith('https') ? engine.caFile : undefined;
      const api = createKubernetesApi({ server, tokenFile, caFile, timeoutMs: 3_000 });
      return createPlatformAdapter(played.make(api, door.probe), BOUND);
    };
    const { worker, stranger } = engine.tokenFiles;
    return {
      adapter: at(relay.url, worker),
      contained: isolated,
      shadow: played.shadow,
      impossible: fallback,
      reset: async () => {
        await engine.call('DELETE', fencePath);
        await engine.call('DELETE', played.path);
        const made = await engine.call('POST', collection, played.initial);
        if (made.status !== 201) throw new Error(made.text);
      },
      native: async () => [await fenced(), nativeOf(await get())],
      answering: door.answering,
      meddle: async () => {
        const written = await engine.call('PUT', played.path, played.meddle(await get()));
        if (written.status !== 200) throw new Error(written.text);
      },
      meddled: async () => played.meddled(await get()),
      beforeNextChange: relay.beforeNextChange,
      away: at('https://127.0.0.1:9', worker),
      refused: at(engine.server, stranger),
      close: async () => {
        await relay.close();
        await door.close();
      },
    };
  };
}

/** Without the API's bookkeeping and Lazaret's notes. */
function nativeOf({ metadata, ...resource }: Resource): unknown {
  const { name, labels, annotations = {} } = metadata;
  const ours: readonly string[] = Object.values(ANNOTATIONS);
  const theirs = Object.entries(annotations).filter(([key]) => !ours.includes(key));
  const { status: _status, ...rest } = resource;
  return { ...rest, metadata: { name, labels, annotations: Object.fromEntries(theirs) } };
}

const host = 'digits.models.svc.cluster.local';
const toSubset = (subset: string) => [
  { destination: { host, subset, port: { number: 8080 } }, headers: { request: { set: { via: 'mesh' } } } },
];
interface HttpRoute {
  name: string;
  fault?: { abort?: unknown };
  route: { destination: { subset: string }; weight?: number }[];
}
const routesOf = (resource: Resource): HttpRoute[] => (resource.spec as unknown as { http: HttpRoute[] }).http;

const istio: Played = {
  make: (api, probe) =>
    createResourcePlatform(
      virtualServiceStance({
        namespace: 'models',
        virtualService: 'digits',
        host,
        places: { [digestOf('golden')]: 'golden', [digestOf('suspect')]: 'suspect' },
      }),
      { api, probe, model: ENDPOINT },
    ) as unknown as Platform<Json>,
  path: 'apis/networking.istio.io/v1/namespaces/models/virtualservices/digits',
  initial: {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'digits', namespace: 'models', labels: { team: 'vision' } },
    spec: {
      hosts: ['digits.example'],
      http: [
        { name: 'docs', match: [{ uri: { prefix: '/docs' } }], route: [{ destination: { host: 'docs' } }] },
        { name: 'predict', timeout: '3s', route: toSubset('suspect') },
      ],
    },
  },
  answering: (resource) => {
    const route = routesOf(resource).find(({ name }) => name === 'predict');
    return route?.fault?.abort ? null : (route?.route[0]?.destination.subset ?? null);
  },
  meddle: (resource) => ({
    ...resource,
    metadata: { ...resource.metadata, labels: { ...resource.metadata.labels, owner: 'somebody' } },
    spec: {
      ...(resource.spec as object),
      http: [
        { name: 'status', match: [{ uri: { prefix: '/status' } }], route: [{ destination: { host: 'docs' } }] },
        ...routesOf(resource),
      ],
    } as unknown as Json,
  }),
  meddled: (resource) => resource.metadata.labels?.['owner'] === 'somebody' && routesOf(resource)[0]?.name === 'status',
  shadow: shadow(model('golden')),
};

const predictorOf = (resource: Resource) =>
  (resource.spec as unknown as { predictor: { model: { storageUri: string }; minReplicas?: number } }).predictor;

const kserve: Played = {
  make: (api, probe) =>
    createResourcePlatform(
      inferenceServiceStance({
        namespace: 'models',
        inferenceService: 'digits',
        places: { [digestOf('golden')]: 's3://models/golden', [digestOf('suspect')]: 's3://models/suspect' },
      }),
      { api, probe, model: ENDPOINT },
    ) as unknown as Platform<Json>,
  path: 'apis/serving.kserve.io/v1beta1/namespaces/models/inferenceservices/digits',
  initial: {
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: { name: 'digits', namespace: 'models', annotations: { 'example.com/owner': 'vision' } },
    spec: {
      predictor: {
        canaryTrafficPercent: 100,
        model: {
          modelFormat: { name: 'onnx' },
          storageUri: 's3://models/suspect',
          env: [{ name: 'TOKEN', value: 'hush' }],
        },
      },
    },
  },
  answering: (resource) =>
    resource.metadata.annotations?.['serving.kserve.io/stop'] === 'true'
      ? null
      : (predictorOf(resource).model.storageUri.split('/').at(-1) ?? null),
  meddle: (resource) => ({
    ...resource,
    spec: { ...(resource.spec as object), predictor: { ...predictorOf(resource), minReplicas: 3 } } as unknown as Json,
  }),
  meddled: (resource) => predictorOf(resource).minReplicas === 3,
  shadow: null,
};

const replicasOf = (resource: Resource) => (resource.spec as unknown as { replicas: number }).replicas;

const workload: Played = {
  make: (api, probe) =>
    createWorkloadPlatform(
      { namespace: 'models', deployment: 'digits', model: ENDPOINT },
      { api, probe },
    ) as unknown as Platform<Json>,
  path: 'apis/apps/v1/namespaces/models/deployments/digits',
  initial: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'digits', namespace: 'models' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'digits' } },
      template: {
        metadata: { labels: { app: 'digits' } },
        spec: { containers: [{ name: 'server', image: 'example.com/server:1' }] },
      },
    },
  },
  answering: (resource, fenced) => (replicasOf(resource) === 0 || fenced ? null : 'suspect'),
  meddle: (resource) => ({ ...resource, metadata: { ...resource.metadata, labels: { owner: 'somebody' } } }),
  meddled: (resource) => resource.metadata.labels?.['owner'] === 'somebody',
  shadow: null,
};

conforms('istio', subjectOf(istio), { swaps: true, refuses: true, absent });
conforms('kserve', subjectOf(kserve), { swaps: false, refuses: true, absent });
conforms('kubernetes', subjectOf(workload), { swaps: false, refuses: true, absent });

(absent === null ? describe : describe.skip)('what only one of them does', () => {
  const by = async <T>(played: Played, act: (subject: Subject) => Promise<T>): Promise<T> => {
    const subject = await subjectOf(played)();
    try {
      await subject.reset();
      return await act(subject);
    } finally {
      await subject.close();
    }
  };

  it('kserve: a trusted model takes over from a stopped service, never from one that answers until it is rolled out', async () => {
    await by(kserve, async ({ adapter, answering }) => {
      const golden = shadow(model('golden'));
      const receipt = await adapter.captureAndSwap(ENDPOINT, order({ stance: golden, incident: 'inc-1' }));
      expect(receipt.after.stance).toMatchObject({ kind: 'isolated', reason: expect.stringContaining('rolled out') });
      expect(await answering()).toBeNull();
      await adapter.captureAndSwap(ENDPOINT, order({ stance: golden, incident: 'inc-1' }));
      expect(await answering()).toBe('golden');
    });
  });

  it('a captured resource holds no value of an environment variable, only its digest', async () => {
    await by(kserve, async ({ adapter }) => {
      const { platform } = await adapter.captureAndSwap(ENDPOINT, order({ stance: isolated, incident: 'inc-1' }));
      expect(JSON.stringify(platform?.captured)).not.toContain('hush');
      expect(JSON.stringify(platform?.captured)).toContain(digestOf('hush'));
    });
  });

  it('istio: an order that somebody undid is told as what is found, and holds again when it is repeated', async () => {
    await by(istio, async ({ adapter, answering }) => {
      const token = order({ stance: isolated, incident: 'inc-1' });
      const receipt = await adapter.captureAndSwap(ENDPOINT, token);
      const held = (await engine.call('GET', istio.path)).json as Resource;
      const undone = { ...held, spec: istio.initial.spec } as Resource;
      expect((await engine.call('PUT', istio.path, undone)).status).toBe(200);
      expect(await adapter.read(ENDPOINT)).toMatchObject({
        stance: { kind: 'found', words: 'predict: suspect 100 %' },
        incident: 'inc-1',
      });
      expect(await adapter.captureAndSwap(ENDPOINT, token)).toEqual(receipt);
      expect(await answering()).toBeNull();
    });
  });

  it('istio: a record that somebody wrote is no order, and puts nothing back that no order names', async () => {
    await by(istio, async ({ adapter, answering }) => {
      const receipt = await adapter.captureAndSwap(ENDPOINT, order({ stance: isolated, incident: 'inc-1' }));
      const held = (await engine.call('GET', istio.path)).json as Resource;
      const record = openRecord(held.metadata.annotations?.[ANNOTATIONS.held] ?? '');
      if (!record) throw new Error('there is no record');
      const rewrite = async (text: string) => {
        const now = (await engine.call('GET', istio.path)).json as Resource;
        const annotations = { ...now.metadata.annotations, [ANNOTATIONS.held]: text };
        const written = { ...now, metadata: { ...now.metadata, annotations } };
        expect((await engine.call('PUT', istio.path, written)).status).toBe(200);
      };
      // Whoever may write annotations plants another state as the one that was found.
      await rewrite(sealRecord({ ...record, found: { predict: { fault: null, route: [] } } }));
      const back = () => adapter.restore(ENDPOINT, order({ stance: receipt.before.stance }));
      await expect(back()).rejects.toThrow('nothing with the digest');
      // An order that no key signed, and what is no record at all, count as none.
      const forged = `${record.order.slice(0, -6)}AAAAAA`;
      for (const text of [sealRecord({ ...record, order: forged }), 'no record', '']) {
        await rewrite(text);
        expect(await adapter.read(ENDPOINT)).toMatchObject({ stance: { kind: 'found' }, incident: null, revision: 0 });
      }
      await rewrite(sealRecord(record));
      await back();
      expect(await answering()).toBe('suspect');
    });
  });

  it('istio: a canary is a weight, a shadow with an observed model a mirror', async () => {
    await by(istio, async ({ adapter }) => {
      const [golden, suspect] = [model('golden'), model('suspect')];
      const canary: Stance = { kind: 'canary', model: golden, candidate: suspect, share: 0.25 };
      await adapter.captureAndSwap(ENDPOINT, order({ stance: canary }));
      const predict = async () => routesOf((await engine.call('GET', istio.path)).json as Resource)[1];
      expect((await predict())?.route.map(({ destination, weight }) => [destination.subset, weight])).toEqual([
        ['golden', 75],
        ['suspect', 25],
      ]);
      await adapter.captureAndSwap(ENDPOINT, order({ stance: shadow(golden, suspect), incident: 'inc-1' }));
      expect(await predict()).toMatchObject({
        route: [{ destination: { host, subset: 'golden' } }],
        mirror: { host, subset: 'suspect' },
        mirrorPercentage: { value: 100 },
      });
    });
  });

  it('says plainly that a resource is not there', async () => {
    const subject = await subjectOf(istio)();
    await engine.call('DELETE', istio.path);
    await expect(subject.adapter.read(ENDPOINT)).rejects.toMatchObject({ code: 'endpoint/refused' });
    await subject.close();
  });
});
