import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { ActivityDependencies } from '../activities/dependencies.ts';
import { endpointOf } from '../activities/dependencies.ts';
import { createGoldenCache } from '../activities/golden-cache.ts';
import { loadConfiguration } from '../clients/configuration/load.ts';
import { trustRootOf } from '../clients/configuration/trust-root.ts';
import { chooseAdapter } from '../clients/adapters/choose.ts';
import { createInferenceClient, type InferenceClient } from '../clients/inference/client.ts';
import { createS3Store } from '../clients/s3/store.ts';
import type { EndpointAdapter } from '../domain/contracts/endpoint-adapter.ts';
import { createGoldenRegistry } from '../evidence/golden/registry.ts';
import { createSigner } from '../evidence/keys/signer.ts';
import { loadTrustFile } from '../evidence/keys/trusted-keys.ts';
import type { Signer } from '../evidence/ports.ts';
import type { ResponseWorkerEnvironment } from './environment.ts';
import { createNotifier } from './notifications.ts';

/** One round trip of containment must not hang on a dead endpoint; durable retries follow. */
const ADAPTER_TIMEOUT_MS = 2_500;

/** Wires the real world to the activities. */
export function responseDependencies(environment: ResponseWorkerEnvironment, log: Logger): ActivityDependencies {
  const configuration = loadConfiguration(environment.LAZARET_CONFIG);
  const keys = loadTrustFile(readFileSync(environment.LAZARET_TRUST_FILE, 'utf8'));
  const store = createS3Store({
    endpoint: environment.LAZARET_S3_ENDPOINT,
    region: environment.LAZARET_S3_REGION,
    accessKeyId: environment.LAZARET_S3_ACCESS_KEY_ID,
    secretAccessKey: environment.LAZARET_S3_SECRET_ACCESS_KEY,
    evidenceBucket: environment.LAZARET_S3_EVIDENCE_BUCKET,
    artifactsBucket: environment.LAZARET_S3_ARTIFACTS_BUCKET,
    retentionDays: environment.LAZARET_S3_RETENTION_DAYS,
    forcePathStyle: true,
  });
  const registry = createGoldenRegistry(store, keys);
  const signer = (name: string): Signer =>
    createSigner({ name, privatePem: readFileSync(join(environment.LAZARET_KEYS_DIR, `${name}.pem`), 'utf8') });
  const now = (): Date => new Date();

  const adapters = new Map<string, EndpointAdapter>();
  const adapter = (endpoint: string): EndpointAdapter => {
    const config = endpointOf({ configuration }, endpoint);
    // One gateway serves many endpoints: they share its kept connections.
    const place = config.adapter === 'gateway' ? `${config.admin} ${config.inference}` : endpoint;
    const made =
      adapters.get(place) ??
      chooseAdapter(endpoint, config, {
        gatewayToken: environment.LAZARET_GATEWAY_ADMIN_TOKEN,
        keys,
        store,
        now,
        timeoutMs: ADAPTER_TIMEOUT_MS,
      });
    adapters.set(place, made);
    return made;
  };

  const clients = new Map<string, InferenceClient>();
  const inference = (base: string): InferenceClient => {
    const client = clients.get(base) ?? createInferenceClient({ base, clientId: 'lazaret-canary' });
    clients.set(base, client);
    return client;
  };

  return {
    configuration,
    keys,
    trustRoot: trustRootOf(configuration, keys),
    signers: { responder: signer('responder'), registry: signer('registry'), caseLog: signer('case-log') },
    store,
    registry,
    golden: createGoldenCache(registry, Object.keys(configuration.models)),
    adapter,
    infer: async (endpoint, rows, shape) =>
      await inference(endpointOf({ configuration }, endpoint).inference).infer(endpoint, rows, shape),
    notify: createNotifier(environment.LAZARET_NOTIFICATIONS_DIR, log, now),
    now,
  };
}
