import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfiguration } from '../clients/configuration/load.ts';
import { trustRootOf } from '../clients/configuration/trust-root.ts';
import { chooseAdapter } from '../clients/adapters/choose.ts';
import { createS3Store } from '../clients/s3/store.ts';
import { createSnsClient } from '../clients/sns/client.ts';
import { createTemporalClient } from '../clients/temporal/connect.ts';
import { createIncidentClient } from '../clients/temporal/incident-client.ts';
import { createRunClient } from '../clients/temporal/run-client.ts';
import type { EndpointStatus } from '../domain/contracts/gateway.ts';
import { EnvironmentError, parseEnvironment, weaknessOf } from '../domain/contracts/environment.ts';
import { createGoldenRegistry } from '../evidence/golden/registry.ts';
import { createSigner, signCompactJws } from '../evidence/keys/signer.ts';
import { loadTrustFile, trustFileOf } from '../evidence/keys/trusted-keys.ts';
import { createApi } from './app.ts';
import { createBundleExport } from './evidence/bundle-export.ts';
import { apiEnvironment, apiRules } from './environment.ts';

/** The console shows the list of endpoints without waiting long for one that is away. */
const ADAPTER_TIMEOUT_MS = 2_000;

/** Entry point of the API process: environment and files in, one listener out. */
async function main(): Promise<void> {
  const env = parseEnvironment(apiEnvironment, process.env, (path) => readFileSync(path, 'utf8'), apiRules);
  const configuration = loadConfiguration(env.LAZARET_CONFIG);
  const trust = loadTrustFile(readFileSync(env.LAZARET_TRUST_FILE, 'utf8'));
  const keyFile = (name: string): string => join(env.LAZARET_KEYS_DIR, `${name}.pem`);
  const signer = (name: string) => createSigner({ name, privatePem: readFileSync(keyFile(name), 'utf8') });
  const voucher = signer('voucher');
  const people = trustRootOf(configuration, trust);
  if (!people.vouchers.some((key) => key.kid === voucher.kid)) {
    throw new Error('voucher.pem is not a key of use "vouch" in the trust file: no decision made here would count');
  }
  const store = createS3Store({
    endpoint: env.LAZARET_S3_ENDPOINT,
    region: env.LAZARET_S3_REGION,
    accessKeyId: env.LAZARET_S3_ACCESS_KEY_ID,
    secretAccessKey: env.LAZARET_S3_SECRET_ACCESS_KEY,
    evidenceBucket: env.LAZARET_S3_EVIDENCE_BUCKET,
    artifactsBucket: env.LAZARET_S3_ARTIFACTS_BUCKET,
    retentionDays: env.LAZARET_S3_RETENTION_DAYS,
    forcePathStyle: true,
  });
  const readEndpoint = async (endpoint: string): Promise<EndpointStatus> => {
    const declared = configuration.endpoints[endpoint];
    if (!declared) throw new Error('no such endpoint');
    return await chooseAdapter(endpoint, declared, {
      gatewayToken: env.LAZARET_GATEWAY_ADMIN_TOKEN ?? null,
      keys: trust,
      store,
      now: () => new Date(),
      timeoutMs: ADAPTER_TIMEOUT_MS,
    }).read(endpoint);
  };
  const temporal = createTemporalClient(env);
  const incidents = createIncidentClient(temporal.client);
  const app = await createApi({
    configuration,
    incidents,
    runs: createRunClient(temporal.client),
    store,
    golden: createGoldenRegistry(store, trust),
    exportBundle: createBundleExport({
      store,
      signer: existsSync(keyFile('export')) ? signer('export') : null,
      trust: { machines: trustFileOf(trust), people },
      clock: () => new Date(),
    }),
    readEndpoint,
    voucher,
    signStatement: signCompactJws,
    credentials: {
      alertmanager: env.LAZARET_ALERTMANAGER_TOKEN ?? null,
      generic: env.LAZARET_GENERIC_WEBHOOK_SECRET ?? null,
      cloudevents: env.LAZARET_CLOUDEVENTS_SECRET ?? null,
      evidently: env.LAZARET_EVIDENTLY_SECRET ?? null,
      grafana: env.LAZARET_GRAFANA_SECRET ?? null,
      pagerduty: env.LAZARET_PAGERDUTY_SECRET ?? null,
      github: env.LAZARET_GITHUB_SECRET ?? null,
      mlflow: env.LAZARET_MLFLOW_SECRET ?? null,
      datadog: env.LAZARET_DATADOG_TOKEN ?? null,
      falco: env.LAZARET_FALCO_TOKEN ?? null,
      kserve: env.LAZARET_KSERVE_TOKEN ?? null,
      mapped: mappedSecrets(env.LAZARET_INTAKE_SECRETS_DIR, Object.keys(configuration.intake?.sources ?? {})),
    },
    sns: env.LAZARET_SNS_TOPICS ? { topics: env.LAZARET_SNS_TOPICS, ...createSnsClient() } : null,
    clock: () => new Date(),
    randomToken: () => randomBytes(24).toString('base64url'),
    log: { level: env.LAZARET_LOG_LEVEL },
    probes: {
      temporal: () => incidents.ping(),
      s3: async () => void (await store.readDocument('stances/-.jws')),
    },
    consoleFolder: join(packageRoot(), 'console'),
  });
  const { host, port } = env.LAZARET_API_LISTEN;
  await app.listen(port, host);
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await app.close();
    await temporal.close();
    store.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
}

/** The secrets of the sources that lazaret.yaml describes. One that has no file refuses its deliveries; one that can be guessed refuses to start. */
function mappedSecrets(folder: string | undefined, names: readonly string[]): Record<string, string> {
  if (folder === undefined) return {};
  const there = names.filter((name) => existsSync(join(folder, name)));
  const secrets = there.map((name) => [name, readFileSync(join(folder, name), 'utf8').replace(/\r?\n$/, '')] as const);
  for (const [name, secret] of secrets) {
    const weakness = weaknessOf(secret);
    if (weakness === null) continue;
    const remedy = `write a long random text into the file ${name} there, or remove it`;
    throw new EnvironmentError([
      { variable: 'LAZARET_INTAKE_SECRETS_DIR', expected: `the secret of the source ${name} ${weakness}`, remedy },
    ]);
  }
  return Object.fromEntries(secrets);
}

/** The folder of package.json: this file runs from `api/` as well as from `dist/api/`. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

main().catch((error: unknown) => {
  // What a person can mend is told as a sentence; anything else with its stack.
  const told = error instanceof Error && ['EnvironmentError', 'ConfigurationError', 'KeyRefused'].includes(error.name);
  process.stderr.write(
    `${told ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = 1;
});
