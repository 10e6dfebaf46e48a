import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGatewayAdapter } from '../../clients/gateway/adapter.ts';
import { createInferenceClient, type InferenceClient } from '../../clients/inference/client.ts';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef, Stance, StanceOrder } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { digestOf, type Digest } from '../../domain/proofs/digest.ts';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { createSigner, signCompactJws, trustedKeyOf } from '../../evidence/keys/signer.ts';
import { signModel } from '../../evidence/model-signing/sign.ts';
import type { Signer } from '../../evidence/ports.ts';
import type { EndpointAlarm } from '../../gateway/eyes/alarm-post.ts';
import { startGateway, type Gateway, type GatewayOptions } from '../../gateway/gateway.ts';
import type { GatewayLog } from '../../gateway/ports.ts';
import { createOrderReader } from '../../evidence/orders/stance-order.ts';
import { createModelVerifier, MODEL_FILE } from '../../gateway/trust.ts';

export const TOKEN = 'a-credential-for-tests-0123456789abcdef';
export const SHAPE = [1, 8, 8] as const;
export const ROW: readonly number[] = Array.from({ length: 64 }, (_, index) => (index % 17) / 16);
/** The class that always wins, by model. */
export const WINS = { golden: 1, suspect: 7, slow: 3 } as const;

const signer = (name: string, alg: 'EdDSA' | 'ES256') =>
  createSigner({ name, privatePem: generateKey(alg).privatePem });

export const KEYS = {
  responder: signer('responder', 'EdDSA'),
  deployer: signer('deployer', 'EdDSA'),
  registry: signer('registry', 'ES256'),
  /** Trusted, but for data sets only. */
  curator: signer('curator', 'ES256'),
  stranger: signer('stranger', 'EdDSA'),
  strangeRegistry: signer('strange registry', 'ES256'),
};
const TRUSTED = [
  trustedKeyOf(KEYS.responder, ['stance:respond']),
  trustedKeyOf(KEYS.deployer, ['stance:deploy']),
  trustedKeyOf(KEYS.registry, ['model']),
  trustedKeyOf(KEYS.curator, ['dataset']),
];

/** What S3 is to a gateway: objects and published stances, and an outage to order. */
export interface FakeStore {
  readonly objects: Map<Digest, Uint8Array>;
  readonly stances: Map<string, string>;
  readonly log: Map<string, Uint8Array>;
  readonly golden: Map<string, ObjectRef>;
  readonly alarms: Map<string, EndpointAlarm>;
  away: boolean;
  /** Milliseconds that every read of an object takes. */
  delayMs: number;
}

export function fakeStore(): FakeStore {
  return {
    objects: new Map(),
    stances: new Map(),
    log: new Map(),
    golden: new Map(),
    alarms: new Map(),
    away: false,
    delayMs: 0,
  };
}

export function modelBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../vectors/onnx/${name}.onnx`, import.meta.url)));
}

/** Puts a model and its signature into the store, as the registry would. */
export function publish(
  store: FakeStore,
  version: string,
  bytes: Uint8Array,
  by: Signer = KEYS.registry,
  bundle: Uint8Array = signModel([{ name: MODEL_FILE, bytes }], by),
): ModelRef {
  return {
    version,
    artifact: keep(store, bytes, 'model.onnx'),
    signature: keep(store, bundle, 'model.onnx.sig'),
  };
}

function keep(store: FakeStore, bytes: Uint8Array, name: string): ObjectRef {
  const digest = digestOf(bytes);
  store.objects.set(digest, bytes);
  return { store: 'artifacts', digest, bytes: bytes.length, mediaType: 'application/octet-stream', name };
}

let lastRevision = 0;

/** A signed order; revisions rise from call to call. */
export function order(about: Partial<StanceOrder> & { stance: Stance }, by: Signer = KEYS.responder): string {
  lastRevision = Math.max(Date.now(), lastRevision + 1);
  const full: StanceOrder = {
    orderId: `order-${lastRevision}`,
    endpoint: 'digits',
    incident: null,
    revision: lastRevision,
    issuer: by.name,
    issuedAt: new Date().toISOString(),
    ...about,
  };
  return signCompactJws(full, 'lazaret-stance+jws', by);
}

export const isolated: Stance = { kind: 'isolated', reason: 'under investigation' };
export const serving = (model: ModelRef, standby: ModelRef | null = null): Stance => ({
  kind: 'serving',
  model,
  standby,
});
export const shadow = (model: ModelRef, observed: ModelRef | null = null): Stance => ({
  kind: 'shadow',
  model,
  observed,
});

export interface LogLine {
  readonly level: string;
  readonly about: unknown;
  readonly message: string;
}

export interface RunningGateway extends Gateway {
  readonly adapter: EndpointAdapter;
  readonly client: InferenceClient;
  readonly urls: { inference: string; admin: string };
  readonly stateFolder: string;
  readonly lines: readonly LogLine[];
  metrics(): Promise<string>;
}

/** The real gateway on loopback, with the real engine, the real signatures and a store in memory. */
export async function run(store: FakeStore, options: Partial<GatewayOptions> = {}): Promise<RunningGateway> {
  const stateFolder = options.stateFolder ?? temporaryFolder();
  const lines: LogLine[] = [];
  const note =
    (level: string) =>
    (about: unknown, message = ''): void =>
      void lines.push({ level, about, message });
  const log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') } as GatewayLog;
  const gateway = await startGateway(
    {
      endpoints: ['digits', 'digits-kiosk'],
      inference: { host: '127.0.0.1', port: 0 },
      admin: { host: '127.0.0.1', port: 0 },
      grpc: { host: '127.0.0.1', port: 0 },
      adminToken: TOKEN,
      window: 50,
      families: new Map(),
      logBytes: 1024 * 1024,
      logPayloads: 0,
      pollMs: 40,
      version: 'test',
      ...options,
      stateFolder,
    },
    {
      source: {
        async read(ref) {
          if (store.delayMs > 0) await pause(store.delayMs);
          if (store.away) throw new Failure('storage/unavailable', 'S3 is away');
          const bytes = store.objects.get(ref.digest);
          if (!bytes) throw new Failure('storage/not-found', 'no such object');
          return bytes;
        },
      },
      desired: {
        async marks() {
          if (store.away) throw new Failure('storage/unavailable', 'S3 is away');
          return await Promise.resolve(store.stances);
        },
        async read(endpoint) {
          if (store.away) throw new Failure('storage/unavailable', 'S3 is away');
          return await Promise.resolve(store.stances.get(endpoint) ?? null);
        },
      },
      verify: createModelVerifier(TRUSTED),
      readOrder: createOrderReader(TRUSTED),
      goldenProfile: async (family) => await Promise.resolve(store.golden.get(family) ?? null),
      deliverAlarm: async (id, alarm) => {
        if (store.away) throw new Failure('endpoint/unreachable', 'the intake is away');
        store.alarms.set(id, alarm);
        await Promise.resolve();
      },
      shipLog: async (key, bytes) => {
        if (store.away) throw new Failure('storage/unavailable', 'S3 is away');
        store.log.set(key, bytes);
        await Promise.resolve();
      },
      log,
      now: () => new Date(),
    },
  );
  const urls = {
    inference: `http://127.0.0.1:${gateway.inference.port}`,
    admin: `http://127.0.0.1:${gateway.admin.port}`,
  };
  return {
    ...gateway,
    urls,
    stateFolder,
    lines,
    adapter: createGatewayAdapter({ ...urls, token: TOKEN, timeoutMs: 10_000 }),
    client: createInferenceClient({ base: urls.inference, clientId: 'visitor' }),
    metrics: async () => await (await fetch(`${urls.admin}/metrics`)).text(),
  };
}

const folders: string[] = [];

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-gateway-'));
  folders.push(folder);
  return folder;
}

export function removeTemporaryFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `holds`, at most five seconds. */
export async function until(holds: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const end = Date.now() + 5_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`did not happen within 5 s: ${what}`);
    await pause(10);
  }
}

export function winner(scores: readonly (readonly number[])[] | null): number | null {
  const [row] = scores ?? [];
  return row ? row.indexOf(Math.max(...row)) : null;
}
