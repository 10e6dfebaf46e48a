import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { RESPONSE_QUEUE } from '../domain/contracts/messages.ts';
import { SEARCH_ATTRIBUTES } from '../domain/contracts/search-attributes.ts';
import { S3_BUCKETS, credentialFile, readCredentials } from './credentials.ts';
import { loadConfiguration } from '../clients/configuration/load.ts';
import { surfacesOf } from './default-configuration.ts';
import { checkout, type StationPaths } from './paths.ts';
import type { Ports } from './ports.ts';
import { answers, type TemporalProbe } from './readiness.ts';
import type { ProcessPlan } from './supervised.ts';

export const ENGINE_NAMES = ['s3', 'temporal'] as const;
export const SERVICE_NAMES = ['gateway', 'response', 'trainer', 'api'] as const;
export type ProcessName = (typeof ENGINE_NAMES)[number] | (typeof SERVICE_NAMES)[number];

/** Addresses of the engines that somebody else runs; null where the station runs its own. */
export interface ForeignEngines {
  readonly temporal: string | null;
  readonly s3: string | null;
}

export interface Layout {
  readonly paths: StationPaths;
  readonly ports: Ports;
  readonly foreign: ForeignEngines;
  readonly probe: TemporalProbe;
}

const DEFAULT_TRAINER_QUEUE = 'trainer';
/** Long enough for a worker to hand its tasks back, short enough for Ctrl-C. */
const GRACE_MS = 5000;

export const temporalAddress = ({ foreign, ports }: Pick<Layout, 'foreign' | 'ports'>) =>
  foreign.temporal ?? `127.0.0.1:${ports.temporal}`;
export const s3Endpoint = ({ foreign, ports }: Pick<Layout, 'foreign' | 'ports'>) =>
  foreign.s3 ?? `http://127.0.0.1:${ports.s3}`;

/** How each process of the station is started, in the order of start. Stopping goes the other way round. */
export function plans(layout: Layout): Readonly<Record<ProcessName, ProcessPlan | null>> {
  const endpoints = ownEndpoints(layout);
  return {
    s3: layout.foreign.s3 ? null : s3(layout),
    temporal: layout.foreign.temporal ? null : temporal(layout),
    gateway: endpoints.length > 0 ? gateway(layout, endpoints) : null,
    response: response(layout),
    trainer: trainer(layout),
    api: api(layout),
  };
}

function s3({ paths, ports }: Layout): ProcessPlan {
  const credentials = readCredentials(paths.credentials);
  return {
    ...base(paths, 's3'),
    command: engine('versitygw'),
    args: ['--port', `127.0.0.1:${ports.s3}`, '--quiet', 'posix', '--versioning-dir', paths.s3Versions, paths.s3Root],
    env: {
      ...surroundings(),
      ROOT_ACCESS_KEY: credentials.s3AccessKeyId,
      ROOT_SECRET_KEY: credentials.s3SecretAccessKey,
    },
    ready: () => answers(`http://127.0.0.1:${ports.s3}/`),
  };
}

/** The pragmas and values are measured: with the defaults a task takes 50 ms per hop, and the journal is not crash-safe enough. */
function temporal({ paths, ports, probe }: Layout): ProcessPlan {
  const flags = [
    ['--ip', '127.0.0.1'],
    ['--port', String(ports.temporal)],
    ['--ui-port', String(ports.temporalUi)],
    ['--ui-ip', '127.0.0.1'],
    ['--db-filename', paths.temporalDatabase],
    ['--log-level', 'warn'],
    ['--sqlite-pragma', 'journal_mode=wal'],
    ['--sqlite-pragma', 'synchronous=full'],
    ['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000'],
    ['--dynamic-config-value', 'system.enableActivityEagerExecution=true'],
    ...Object.values(SEARCH_ATTRIBUTES).map((name) => ['--search-attribute', `${name}=Keyword`]),
  ];
  return {
    ...base(paths, 'temporal'),
    command: engine('temporal'),
    args: ['server', 'start-dev', ...flags.flat()],
    env: surroundings(),
    ready: () => probe.serves(),
  };
}

/** The endpoints of lazaret.yaml that stand behind this station's own gateway. Throws a ConfigurationError with every problem in the file. */
function ownEndpoints({ paths, ports }: Layout): readonly string[] {
  const own = surfacesOf(ports).admin;
  return Object.entries(loadConfiguration(paths.configuration).endpoints)
    .filter(([, endpoint]) => endpoint.adapter === 'gateway' && new URL(endpoint.admin).origin === own)
    .map(([name]) => name);
}

function gateway(layout: Layout, endpoints: readonly string[]): ProcessPlan {
  const { paths, ports } = layout;
  const families = Object.entries(loadConfiguration(paths.configuration).endpoints).filter(([name]) =>
    endpoints.includes(name),
  );
  return {
    ...node(paths, 'gateway', ['gateway', 'main.js']),
    env: {
      ...surroundings(),
      ...s3Variables(layout),
      LAZARET_TRUST_FILE: paths.trust,
      LAZARET_GATEWAY_ENDPOINTS: endpoints.join(','),
      LAZARET_GATEWAY_INFERENCE_ADDR: `127.0.0.1:${ports.inference}`,
      LAZARET_GATEWAY_ADMIN_ADDR: `127.0.0.1:${ports.admin}`,
      LAZARET_GATEWAY_ADMIN_TOKEN_FILE: credentialFile(paths.credentials, 'adminToken'),
      LAZARET_GATEWAY_STATE_DIR: paths.gateway,
      // Its alarms are counted and logged, and not sent: an attack that goes on after the repair would have the repaired model contained again.
      LAZARET_GATEWAY_FAMILIES: families.map(([name, { model }]) => `${name}=${model}`).join(','),
    },
    ready: async () =>
      (await answers(`http://127.0.0.1:${ports.inference}/v2/health/live`, 200)) &&
      (await answers(`http://127.0.0.1:${ports.admin}/admin/v1/health`)),
  };
}

function response(layout: Layout): ProcessPlan {
  const { paths, probe } = layout;
  return {
    ...node(paths, 'response', ['workers', 'response.js']),
    env: {
      ...surroundings(),
      ...s3Variables(layout),
      ...temporalVariables(layout),
      LAZARET_CONFIG: paths.configuration,
      LAZARET_TRUST_FILE: paths.trust,
      LAZARET_KEYS_DIR: join(paths.keys, 'response'),
      LAZARET_GATEWAY_ADMIN_TOKEN_FILE: credentialFile(paths.credentials, 'adminToken'),
      LAZARET_NOTIFICATIONS_DIR: paths.notifications,
    },
    ready: (since) => probe.polled(RESPONSE_QUEUE, 'workflow', since),
  };
}

function trainer(layout: Layout): ProcessPlan {
  const { paths, probe } = layout;
  const folder = join(checkout(), 'trainer');
  return {
    ...base(paths, 'trainer'),
    command: join(folder, '.venv', 'bin', 'python'),
    args: ['-m', 'lazaret_trainer.worker'],
    cwd: folder,
    env: {
      ...surroundings(),
      ...s3Variables(layout),
      ...temporalVariables(layout),
      PYTHONPATH: folder,
      PYTHONUNBUFFERED: '1',
      LAZARET_TRAINER_QUEUE: DEFAULT_TRAINER_QUEUE,
      LAZARET_TRAINER_CACHE: paths.trainerCache,
    },
    ready: (since) => probe.polled(DEFAULT_TRAINER_QUEUE, 'activity', since),
  };
}

function api(layout: Layout): ProcessPlan {
  const { paths, ports } = layout;
  return {
    ...node(paths, 'api', ['api', 'main.js']),
    env: {
      ...surroundings(),
      ...s3Variables(layout),
      ...temporalVariables(layout),
      LAZARET_CONFIG: paths.configuration,
      LAZARET_TRUST_FILE: paths.trust,
      LAZARET_KEYS_DIR: join(paths.keys, 'api'),
      LAZARET_GATEWAY_ADMIN_TOKEN_FILE: credentialFile(paths.credentials, 'adminToken'),
      LAZARET_API_LISTEN: `127.0.0.1:${ports.api}`,
      LAZARET_ALERTMANAGER_TOKEN_FILE: credentialFile(paths.credentials, 'alertmanager'),
      LAZARET_GENERIC_WEBHOOK_SECRET_FILE: credentialFile(paths.credentials, 'genericWebhook'),
      LAZARET_CLOUDEVENTS_SECRET_FILE: credentialFile(paths.credentials, 'cloudEvents'),
    },
    ready: () => answers(`http://127.0.0.1:${ports.api}/healthz`, 200),
  };
}

function base(paths: StationPaths, name: ProcessName) {
  return { name, cwd: paths.home, log: join(paths.logs, `${name}.log`), graceMs: GRACE_MS };
}

function node(paths: StationPaths, name: ProcessName, entry: readonly string[]) {
  return {
    ...base(paths, name),
    command: process.execPath,
    args: ['--enable-source-maps', join(checkout(), 'dist', ...entry)],
  };
}

/** What every process needs from the machine. Nothing else is passed on, so that no process sees the secrets of another. */
function surroundings(): Record<string, string> {
  const names = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'XDG_CACHE_HOME', 'LAZARET_LOG_LEVEL'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function s3Variables(layout: Layout): Record<string, string> {
  const { credentials } = layout.paths;
  return {
    LAZARET_S3_ENDPOINT: s3Endpoint(layout),
    LAZARET_S3_REGION: process.env['LAZARET_S3_REGION'] ?? 'us-east-1',
    LAZARET_S3_ACCESS_KEY_ID_FILE: credentialFile(credentials, 's3AccessKeyId'),
    LAZARET_S3_SECRET_ACCESS_KEY_FILE: credentialFile(credentials, 's3SecretAccessKey'),
    LAZARET_S3_EVIDENCE_BUCKET: process.env['LAZARET_S3_EVIDENCE_BUCKET'] ?? S3_BUCKETS.evidence,
    LAZARET_S3_ARTIFACTS_BUCKET: process.env['LAZARET_S3_ARTIFACTS_BUCKET'] ?? S3_BUCKETS.artifacts,
  };
}

function temporalVariables(layout: Layout): Record<string, string> {
  return {
    LAZARET_TEMPORAL_ADDRESS: temporalAddress(layout),
    LAZARET_TEMPORAL_NAMESPACE: process.env['LAZARET_TEMPORAL_NAMESPACE'] ?? 'default',
  };
}

/** On PATH, else in the user's cache, where the set-up puts what it builds. */
export function engine(name: 'temporal' | 'versitygw'): string {
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lazaret', 'engines');
  const folders = [cache, ...(process.env['PATH'] ?? '').split(delimiter)];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (!found) throw new Error(`${name} is not installed: run "npm run setup"`);
  return found;
}
