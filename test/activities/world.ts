import { createGoldenCache, type GoldenCache } from '../../activities/golden-cache.ts';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import type { AnalysisSubject, RegisterGoldenInput } from '../../domain/contracts/activities.ts';
import { configurationSchema } from '../../domain/contracts/configuration.ts';
import type { DatasetRef } from '../../domain/contracts/dataset.ts';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import type { EndpointStatus, ForensicReceipt, LoggedRequest } from '../../domain/contracts/gateway.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef, Stance } from '../../domain/contracts/stance.ts';
import type { TrainJob, TrainResult } from '../../domain/contracts/trainer.ts';
import { digestOf, type Digest } from '../../domain/proofs/digest.ts';
import { writeDataset } from '../../evidence/dataset/write.ts';
import { createGoldenRegistry } from '../../evidence/golden/registry.ts';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { createSigner, trustedKeyOf } from '../../evidence/keys/signer.ts';
import { BUNDLE_MEDIA_TYPE } from '../../evidence/model-signing/bundle.ts';
import { signModel } from '../../evidence/model-signing/sign.ts';
import type { Signer } from '../../evidence/ports.ts';
import { createFakeStore, type FakeStore } from '../fakes/store.ts';
import { columnsOf, DIGIT_CLASSES, digits, modelBytes } from '../forensics/vectors.ts';

/** The world an activity acts on: a store in memory, an endpoint in memory, real keys, and a clock that stands still unless it is moved. */
export interface World {
  deps: ActivityDependencies;
  readonly store: FakeStore;
  readonly endpoint: FakeEndpoint;
  readonly signers: Readonly<
    Record<'responder' | 'registry' | 'caseLog' | 'pipeline' | 'deployer' | 'stranger', Signer>
  >;
  /** What happened, in order: writes of the store and orders the endpoint obeyed. */
  readonly trace: string[];
  clock: Date;
  /** Puts a golden model into the cache that containment answers from. */
  known(ref: ModelRef | null): void;
}

export interface FakeEndpoint extends EndpointAdapter {
  stance: Stance;
  readonly orders: string[];
  windowBytes: Uint8Array;
  readonly models: Map<string, Uint8Array>;
  /** What it can do. */
  stances: readonly string[];
  /** Thrown by every call when set. */
  broken: Error | null;
}

export const NOW = '2026-03-01T12:00:00.000Z';
export const INCIDENT = 'gate-0123abcd';

const keyOf = (name: string, alg: 'EdDSA' | 'ES256'): Signer =>
  createSigner({ name, privatePem: generateKey(alg).privatePem });
const signers = {
  responder: keyOf('responder', 'EdDSA'),
  registry: keyOf('registry', 'ES256'),
  caseLog: keyOf('case-log', 'EdDSA'),
  pipeline: keyOf('pipeline', 'ES256'),
  deployer: keyOf('deployer', 'EdDSA'),
  /** Nobody trusts this one. */
  stranger: keyOf('stranger', 'ES256'),
} as const;

const configuration = configurationSchema.parse({
  version: 1,
  endpoints: Object.fromEntries(
    ['gate', 'kiosk'].map((name) => [
      name,
      {
        adapter: 'gateway',
        admin: 'http://127.0.0.1:1',
        inference: 'http://127.0.0.1:2',
        model: 'digits',
        fallback: name === 'gate' ? [{ when: null, scores: [1, 0], reason: 'always the first class' }] : [],
      },
    ]),
  ),
  models: { digits: { hyperparameters: { epochs: 7 }, budget: { seconds: 90 }, queue: 'gpu' } },
  people: [
    { id: 'sol', name: 'Sol', roles: ['security-lead'] },
    { id: 'mo', name: 'Mo', roles: ['model-owner'] },
  ],
});

export function createWorld(): World {
  const trace: string[] = [];
  const store = createFakeStore(trace);
  const endpoint = createFakeEndpoint(trace);
  const keys = [
    trustedKeyOf(signers.responder, ['stance:respond']),
    trustedKeyOf(signers.registry, ['model', 'dataset', 'provenance', 'golden']),
    trustedKeyOf(signers.caseLog, ['case-log']),
    trustedKeyOf(signers.pipeline, ['model', 'dataset', 'provenance']),
    trustedKeyOf(signers.deployer, ['stance:deploy']),
  ];
  const registry = createGoldenRegistry(store, keys);
  const cache = createGoldenCache(registry, Object.keys(configuration.models));
  let pinned: ModelRef | null | undefined;
  const golden: GoldenCache = {
    current: (model) => (pinned === undefined ? cache.current(model) : pinned),
    refresh: () => cache.refresh(),
  };
  const world: World = {
    store,
    endpoint,
    signers,
    trace,
    clock: new Date(NOW),
    known: (ref) => void (pinned = ref),
    deps: {
      configuration,
      trustRoot: { people: [], vouchers: [], gates: { plan: [], release: [], command: [] } },
      keys,
      signers,
      store,
      registry,
      golden,
      adapter: () => endpoint,
      infer: async () => ({ status: 200 }),
      notify: async () => {},
      now: () => world.clock,
    },
  };
  return world;
}

function createFakeEndpoint(trace: string[]): FakeEndpoint {
  const answer = (): void => {
    if (endpoint.broken) throw endpoint.broken;
  };
  const endpoint: FakeEndpoint = {
    stance: { kind: 'isolated', reason: 'nothing was deployed yet' },
    orders: [],
    windowBytes: new Uint8Array(),
    models: new Map(),
    stances: ['serving', 'canary', 'shadow', 'fallback', 'isolated'],
    broken: null,
    read: async (name) => {
      answer();
      return statusOf(name, endpoint.stance);
    },
    captureAndSwap: async (name, order) => {
      answer();
      endpoint.orders.push(order);
      trace.push('order obeyed');
      return receiptOf(name, endpoint.stance);
    },
    restore: async (name) => receiptOf(name, endpoint.stance),
    verify: async () => ({ holds: true, observed: 'fake' }),
    describe: () => ({ adapter: 'fake', captures: [], stances: endpoint.stances }),
    window: async () => {
      answer();
      return endpoint.windowBytes;
    },
    model: async (_receipt, digest) => endpoint.models.get(digest) ?? null,
    forget: async () => {
      answer();
      trace.push('capture forgotten');
    },
  };
  return endpoint;
}

function statusOf(endpoint: string, stance: Stance, loaded: EndpointStatus['loaded'] = []): EndpointStatus {
  return {
    endpoint,
    replica: 'replica-1',
    stance,
    revision: 1,
    orderId: 'deploy-1',
    incident: null,
    since: NOW,
    loaded,
    counters: { requests: 0, refused: 0, invalid: 0, errors: 0, arms: {} },
  };
}

/** What was captured of an endpoint that answered with `live` (null: nothing was loaded). */
export function receiptOf(
  endpoint: string,
  stance: Stance,
  live: Digest | null = null,
  window: Uint8Array = new Uint8Array(),
): ForensicReceipt {
  const loaded: EndpointStatus['loaded'] = live
    ? [
        {
          role: 'live',
          version: 'nightly-1',
          digest: live,
          signatureDigest: digestOf('signature'),
          bytes: 1,
          signature: { status: 'verified', keyId: signers.pipeline.kid, keyName: 'pipeline' },
        },
      ]
    : [];
  return {
    captureId: 'capture-1',
    orderId: 'order-1',
    endpoint,
    replica: 'replica-1',
    capturedAt: NOW,
    before: statusOf(endpoint, stance, loaded),
    after: { stance: { kind: 'isolated', reason: 'contained' }, revision: 2 },
    window: { requests: 0, bytes: window.length, digest: digestOf(window), from: null, to: null },
  };
}

/** A model in the store with an OMS signature by `signer`. */
export async function storedModel(world: World, version: string, bytes: Uint8Array, signer: Signer): Promise<ModelRef> {
  const put = (content: Uint8Array, mediaType: string, name: string): Promise<ObjectRef> =>
    world.store.put('artifacts', content, { mediaType, name });
  return {
    version,
    artifact: await put(bytes, 'application/onnx', 'model.onnx'),
    signature: await put(signModel([{ name: 'model.onnx', bytes }], signer), BUNDLE_MEDIA_TYPE, 'model.onnx.sig'),
  };
}

/** One of the digits data sets of test/vectors/forensics as a signed version, one shard per batch. */
export async function storedDigits(
  world: World,
  part: 'golden' | 'new' | 'holdout',
  signer: Signer = world.signers.pipeline,
): Promise<DatasetRef> {
  const columns = columnsOf(part);
  const batches = [...new Set(columns.batches)].map((batch) => {
    const rows = columns.batches.flatMap((own, row) => (own === batch ? [row] : []));
    return {
      batch,
      source: columns.sources[rows[0] ?? 0] ?? '',
      ingestedAt: '2026-02-01T00:00:00Z',
      records: rows.map((row) => ({
        id: columns.ids[row] ?? '',
        label: columns.labels[row] ?? 0,
        features: columns.features.slice(row * columns.width, (row + 1) * columns.width),
      })),
    };
  });
  const { ref } = await writeDataset(world.store, signer, {
    name: `digits-${part}`,
    classes: DIGIT_CLASSES,
    featureShape: digits.shape,
    batches,
    createdBy: 'test',
    createdAt: NOW,
  });
  return ref;
}

export const HYPERPARAMETERS = { epochs: 40, batchSize: 64, learningRate: 0.002, seed: 3 };

/** What registers the golden digits model of the vectors as its first golden record. */
export async function goldenInput(world: World): Promise<RegisterGoldenInput> {
  const artifact = await world.store.put('artifacts', modelBytes('digits-golden'), {
    mediaType: 'application/onnx',
    name: 'model.onnx',
  });
  return {
    model: 'digits',
    version: 'golden-1',
    artifact,
    signature: null,
    dataset: await storedDigits(world, 'golden'),
    holdout: await storedDigits(world, 'holdout'),
    hyperparameters: HYPERPARAMETERS,
    provenance: null,
    regressions: [],
    registeredBy: 'test',
  };
}

/** A training run that made `artifact` of `dataset`. */
export function trainingRun(artifact: ObjectRef, dataset: DatasetRef): { job: TrainJob; result: TrainResult } {
  return {
    job: {
      schema: 'lazaret.train-job/v1',
      jobId: 'nightly-1',
      objective: 'standard',
      base: artifact,
      dataset,
      hyperparameters: HYPERPARAMETERS,
      budget: { seconds: 60, steps: 100 },
      checkpointEverySteps: 50,
    },
    result: {
      schema: 'lazaret.train-result/v1',
      jobId: 'nightly-1',
      artifact,
      curve: artifact,
      steps: 12,
      records: 95,
      finalLoss: 0.1,
      resumedAtSteps: [],
      startedAt: NOW,
      finishedAt: NOW,
      environment: { trainer: 'fake', codeDigest: digestOf('code'), python: '3', packages: {}, device: 'cpu' },
    },
  };
}

export function finding(analyser: Finding['analyser'], about: Partial<Finding> = {}): Finding {
  return {
    analyser,
    question: `${analyser}?`,
    verdict: 'clean',
    confidence: null,
    summary: 'nothing',
    detail: null,
    failure: null,
    ...about,
  };
}

/** The subject of an investigation: an endpoint that answered with `served`. */
export async function subjectOf(world: World, served: ModelRef, window = ''): Promise<AnalysisSubject> {
  const bytes = new TextEncoder().encode(window);
  const receipt = receiptOf('gate', { kind: 'serving', model: served, standby: null }, served.artifact.digest, bytes);
  const put = (content: Uint8Array, name: string): Promise<ObjectRef> =>
    world.store.put('evidence', content, { mediaType: 'application/octet-stream', name });
  return {
    incident: INCIDENT,
    endpoint: 'gate',
    model: 'digits',
    receipt,
    capture: {
      endpoint: 'gate',
      receipt: await put(new TextEncoder().encode('receipt'), 'receipt.json'),
      window: await put(bytes, 'window.ndjson'),
      model: await put(await world.store.get(served.artifact), 'served.onnx'),
      signature: served.signature,
      modelDigest: served.artifact.digest,
      lineage: [],
    },
  };
}

/** The requests of the vectors as the gateway logged them, without looking at which of them carry the sticker. */
export function windowOf(model: ModelRef): string {
  const { features, count, width } = columnsOf('window');
  const lines = Array.from({ length: count }, (_, row): LoggedRequest => {
    const data = Array.from(features.subarray(row * width, (row + 1) * width));
    return {
      at: NOW,
      id: `request-${row}`,
      client: 'client',
      arm: 'live',
      model: model.artifact.digest,
      input: { name: 'x', datatype: 'FP32', shape: [1, ...digits.shape], data },
      output: { name: 'y', datatype: 'FP32', shape: [1, 10], data: new Array<number>(10).fill(0.1) },
      latencyUs: 100,
    };
  });
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
}

/** What the behaviour analyser files of the stickered requests of the vectors. */
export async function attackSeen(world: World): Promise<Finding> {
  const window = columnsOf('window');
  const file = {
    schema: 'lazaret.regression-attack/v1',
    incident: INCIDENT,
    featureShape: digits.shape,
    requests: (digits.window.attack ?? []).map((row) => ({
      id: `request-${row}`,
      input: Array.from(window.features.subarray(row * window.width, (row + 1) * window.width)),
      attackerClass: digits.target,
      goldenClass: 0,
    })),
  };
  const requests = await world.store.put('evidence', new TextEncoder().encode(JSON.stringify(file)), {
    mediaType: 'application/json',
    name: 'attack.json',
  });
  const share = { value: 1, low: 0.9, high: 1, confidence: 0.95, n: 60, method: 'wilson' } as const;
  return finding('behaviour', {
    verdict: 'compromised',
    detail: {
      analyser: 'behaviour',
      requests: 60,
      agreement: share,
      probeAgreement: share,
      confidenceSuspect: 1,
      confidenceGolden: 1,
      flow: [],
      classes: [],
      attack: { targetClass: digits.target, requests, count: 60, pValue: 1e-9 },
    },
  });
}
