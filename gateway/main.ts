import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pino } from 'pino';
import { createCloudEventSender } from '../clients/alerts/cloud-event-sender.ts';
import { createS3Store } from '../clients/s3/store.ts';
import { EnvironmentError } from '../domain/contracts/environment.ts';
import { createGoldenRegistry } from '../evidence/golden/registry.ts';
import { loadTrustFile } from '../evidence/keys/trusted-keys.ts';
import { DOCUMENTS, type Store } from '../evidence/ports.ts';
import { readGatewayEnvironment, type GatewayEnvironment } from './config.ts';
import type { DeliverAlarm } from './eyes/alarm-post.ts';
import { startGateway } from './gateway.ts';
import type { DesiredStances, ModelSource } from './ports.ts';
import { createOrderReader } from '../evidence/orders/stance-order.ts';
import { createModelVerifier } from './trust.ts';

const VERSION = '0.1.0';
/** What is under way after a signal gets this long; a supervisor kills after it. */
const DRAIN_MS = 4_000;

async function main(): Promise<void> {
  const environment = readGatewayEnvironment(process.env, (path) => readFileSync(path, 'utf8'));
  const log = pino({ level: environment.LAZARET_LOG_LEVEL, name: 'gateway' });
  const keys = loadTrustFile(readFileSync(environment.LAZARET_TRUST_FILE, 'utf8'));
  const store = storeOf(environment);
  const registry = createGoldenRegistry(store, keys);
  const gateway = await startGateway(
    {
      endpoints: environment.LAZARET_GATEWAY_ENDPOINTS,
      inference: environment.LAZARET_GATEWAY_INFERENCE_ADDR,
      admin: environment.LAZARET_GATEWAY_ADMIN_ADDR,
      grpc: environment.LAZARET_GATEWAY_GRPC_ADDR ?? null,
      adminToken: environment.LAZARET_GATEWAY_ADMIN_TOKEN,
      stateFolder: environment.LAZARET_GATEWAY_STATE_DIR,
      window: environment.LAZARET_GATEWAY_WINDOW,
      families: environment.LAZARET_GATEWAY_FAMILIES ?? new Map(),
      logBytes: environment.LAZARET_GATEWAY_LOG_BYTES,
      logPayloads: environment.LAZARET_GATEWAY_LOG_PAYLOADS,
      pollMs: environment.LAZARET_GATEWAY_POLL_MS,
      version: VERSION,
    },
    {
      source: modelsOf(store),
      desired: stancesOf(store),
      verify: createModelVerifier(keys),
      readOrder: createOrderReader(keys),
      goldenProfile: async (family) => (await registry.latest(family))?.profile ?? null,
      deliverAlarm: alarmsOf(environment),
      shipLog: async (key, bytes) => void (await store.writeDocument(key, bytes, 'application/gzip', 'any')),
      log,
      now: () => new Date(),
    },
  );
  log.info(
    { inference: gateway.inference, admin: gateway.admin, grpcPort: gateway.grpcPort, version: VERSION },
    'listening',
  );

  let draining = false;
  const drain = (signal: NodeJS.Signals): void => {
    if (draining) return;
    draining = true;
    log.info({ signal }, 'draining');
    setTimeout(() => process.exit(1), DRAIN_MS).unref();
    gateway.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'draining failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', drain);
  process.on('SIGINT', drain);
}

function storeOf(environment: GatewayEnvironment): Store {
  return createS3Store({
    endpoint: environment.LAZARET_S3_ENDPOINT,
    region: environment.LAZARET_S3_REGION,
    accessKeyId: environment.LAZARET_S3_ACCESS_KEY_ID,
    secretAccessKey: environment.LAZARET_S3_SECRET_ACCESS_KEY,
    evidenceBucket: environment.LAZARET_S3_EVIDENCE_BUCKET,
    artifactsBucket: environment.LAZARET_S3_ARTIFACTS_BUCKET,
    retentionDays: environment.LAZARET_S3_RETENTION_DAYS,
    forcePathStyle: true,
  });
}

/** Without a place to send them, alarms are metrics and lines of the log only. */
function alarmsOf(environment: GatewayEnvironment): DeliverAlarm {
  const { LAZARET_GATEWAY_ALERTS_URL: url, LAZARET_GATEWAY_ALERTS_SECRET: secret } = environment;
  if (url === undefined || secret === undefined) return () => Promise.resolve();
  const send = createCloudEventSender({ url, secret });
  return async (id, { endpoint, sentinel, kind, statement, at, labels }) =>
    await send({
      id,
      source: `/lazaret/gateway/${endpoint}`,
      type: `ai.lazaret.sentinel.${sentinel}`,
      endpoint,
      kind,
      title: statement.slice(0, 500),
      labels,
      at: at.toISOString(),
    });
}

function modelsOf(store: Store): ModelSource {
  return { read: (ref) => store.get(ref) };
}

function stancesOf(store: Store): DesiredStances {
  return {
    async marks() {
      const documents = await store.listDocuments(DOCUMENTS.stances);
      return new Map([...documents].map(([key, etag]) => [basename(key, '.jws'), etag]));
    },
    async read(endpoint) {
      const document = await store.readDocument(DOCUMENTS.stance(endpoint));
      return document && new TextDecoder().decode(document.bytes);
    },
  };
}

main().catch((error: unknown) => {
  // The message of a wrong environment is written for people and carries no value; everything else is for the log.
  if (error instanceof EnvironmentError) process.stderr.write(`${error.message}\n`);
  else pino({ name: 'gateway' }).fatal({ err: error }, 'the gateway could not start');
  process.exit(2);
});
