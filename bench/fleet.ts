import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { createGatewayAdapter } from '../clients/gateway/adapter.ts';
import { createS3Store } from '../clients/s3/store.ts';
import { createTemporalClient } from '../clients/temporal/connect.ts';
import { createIncidentClient, type IncidentClient } from '../clients/temporal/incident-client.ts';
import type { EndpointAdapter } from '../domain/contracts/endpoint-adapter.ts';
import { STANCE_TYPE, type ModelRef, type StanceOrder } from '../domain/contracts/stance.ts';
import { createSigner, signCompactJws } from '../evidence/keys/signer.ts';
import { signModel } from '../evidence/model-signing/sign.ts';
import { DOCUMENTS, type Signer, type Store } from '../evidence/ports.ts';
import { surfacesOf } from '../station/default-configuration.ts';
import type { RunningStation } from '../station/describe.ts';
import { startStation } from '../station/main.ts';
import { checkout, stationPaths } from '../station/paths.ts';
import { choosePorts } from '../station/ports.ts';
import { provision } from '../station/provision.ts';
import type { Client } from '@temporalio/client';

/** An embedded station of its own with many endpoints, each serving a signed model, on the station's one gateway. */
export interface Fleet {
  readonly station: RunningStation;
  readonly endpoints: readonly string[];
  readonly adapter: EndpointAdapter;
  readonly temporal: Client;
  readonly incidents: IncidentClient;
  close(): Promise<void>;
}

const MODEL = 'digits';
const SEED = 7;
/** Models loaded at once while the fleet is made ready. */
const AT_ONCE = 4;

/** `onEvent` tells what takes time. Nothing of it is measured. */
export async function openFleet(size: number, tell: (text: string) => void): Promise<Fleet> {
  const home = await mkdtemp(join(tmpdir(), 'lazaret-bench-'));
  const forget = () => rm(home, { recursive: true, force: true });
  const endpoints = Array.from({ length: size }, (_, index) => `bench-${String(index + 1).padStart(3, '0')}`);
  try {
    await declare(home, endpoints);
    tell(`starting a station with ${size} endpoints`);
    const running = await startStation({ home, anywhere: true });
    const temporal = createTemporalClient({
      LAZARET_TEMPORAL_ADDRESS: running.describe().temporal.address,
      LAZARET_TEMPORAL_NAMESPACE: running.describe().temporal.namespace,
    });
    const close = async () => {
      await temporal.close();
      await running.stop();
      await forget();
    };
    try {
      const station = running.describe();
      const adapter = createGatewayAdapter({
        admin: station.urls.admin,
        inference: station.urls.inference,
        token: station.credentials.adminToken,
        timeoutMs: 20_000,
      });
      tell('signing a model and deploying it on every endpoint');
      await deployEverywhere(station, adapter, endpoints);
      return {
        station,
        endpoints,
        adapter,
        temporal: temporal.client,
        incidents: createIncidentClient(temporal.client),
        close,
      };
    } catch (error) {
      await close();
      throw error;
    }
  } catch (error) {
    await forget();
    throw error;
  }
}

const configurationSchema = z.looseObject({ models: z.record(z.string(), z.unknown()) });

/** The station's own first lazaret.yaml with other endpoints: there is no other way in. */
async function declare(home: string, endpoints: readonly string[]): Promise<void> {
  const paths = stationPaths(home);
  const { ports } = await choosePorts(paths.ports, { anywhere: true });
  const surfaces = surfacesOf(ports);
  provision(paths, surfaces);
  const configuration = configurationSchema.parse(parse(await readFile(paths.configuration, 'utf8')));
  const declared = Object.fromEntries(
    endpoints.map((name) => [
      name,
      {
        adapter: 'gateway',
        ...surfaces,
        model: MODEL,
        sensitivity: 'high',
        containment: { critical: 'isolate', high: 'isolate', medium: 'isolate', low: 'isolate' },
      },
    ]),
  );
  await writeFile(paths.configuration, stringify({ ...configuration, endpoints: declared }, { lineWidth: 0 }));
}

/** As a pipeline does: signed model into the store, signed deploy order to the gateway and to the published truth. */
async function deployEverywhere(
  station: RunningStation,
  adapter: EndpointAdapter,
  endpoints: readonly string[],
): Promise<void> {
  const store = createS3Store({ ...station.s3, retentionDays: 1, forcePathStyle: true });
  const model = await publishModel(store, await signerOf(station, 'pipeline'));
  const deployer = await signerOf(station, 'deployer');
  const waiting = [...endpoints];
  const deploySome = async (): Promise<void> => {
    for (let endpoint = waiting.shift(); endpoint !== undefined; endpoint = waiting.shift()) {
      const revision = Date.now();
      const order: StanceOrder = {
        orderId: `deploy/${endpoint}/${revision}`,
        endpoint,
        incident: null,
        revision,
        stance: { kind: 'serving', model, standby: null },
        issuer: 'pipeline',
        issuedAt: new Date(revision).toISOString(),
      };
      const token = signCompactJws(order, STANCE_TYPE, deployer);
      await adapter.restore(endpoint, token);
      await store.writeDocument(DOCUMENTS.stance(endpoint), new TextEncoder().encode(token), 'application/jose', 'any');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, deploySome));
}

async function publishModel(store: Store, pipeline: Signer): Promise<ModelRef> {
  const bytes = await untrainedNetwork();
  const bundle = signModel([{ name: 'model.onnx', bytes }], pipeline);
  return {
    version: 'bench-1',
    artifact: await store.put('artifacts', bytes, { mediaType: 'application/onnx', name: 'model.onnx' }),
    signature: await store.put('artifacts', bundle, {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      name: 'model.onnx.sig',
    }),
  };
}

/** The trainer's sample network, untrained: its answers do not matter here, its cost does. */
async function untrainedNetwork(): Promise<Uint8Array> {
  const trainer = join(checkout(), 'trainer');
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-network-'));
  try {
    const file = join(folder, 'model.onnx');
    await promisify(execFile)(
      join(trainer, '.venv', 'bin', 'python'),
      ['-m', 'lazaret_trainer.samples', 'digits-cnn', '--seed', String(SEED), '--out', file],
      { env: { ...process.env, PYTHONPATH: trainer } },
    );
    return new Uint8Array(await readFile(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function signerOf(station: RunningStation, name: 'pipeline' | 'deployer'): Promise<Signer> {
  return createSigner({ name, privatePem: await readFile(station.keys[name].file, 'utf8') });
}
