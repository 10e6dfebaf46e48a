import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApi } from '../../api/app.ts';
import type { ApiDeps } from '../../api/ports.ts';
import { DecisionRefused, IncidentNotFound, RunNotFound } from '../../clients/temporal/errors.ts';
import type { IncidentClient } from '../../clients/temporal/incident-client.ts';
import { parseConfiguration } from '../../clients/configuration/load.ts';
import type { Alert } from '../../domain/contracts/alert.ts';
import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { digestOf } from '../../domain/proofs/digest.ts';

export const ADA = 'ada-token-2f8aM1qv7Xw0';
export const MAX = 'max-token-9Gh3kPz81Lsd';
export const GUS = 'gus-token-Qe72nVx05Tyu';
export const ALERTMANAGER = 'alertmanager-Zp61mWk38Rjc';
export const WEBHOOK_KEY = Buffer.from('0123456789abcdef0123456789abcdef');
export const NOW = new Date('2026-06-01T12:00:00Z');

const TEXT = `version: 1
endpoints:
  signs: { adapter: gateway, admin: 'http://127.0.0.1:8081', inference: 'http://127.0.0.1:8080', model: digits }
  lanes: { adapter: gateway, admin: 'http://127.0.0.1:8083', inference: 'http://127.0.0.1:8082', model: lines }
models: { digits: {}, lines: {} }
people:
  - { id: ada, name: Ada, roles: [security-lead, on-call], tokenDigest: '${digestOf(ADA)}' }
  - { id: max, name: Max, roles: [model-owner], tokenDigest: '${digestOf(MAX)}' }
  - { id: gus, name: Gus, roles: [on-call], tokenDigest: '${digestOf(GUS)}' }
  - { id: eve, name: Eve, roles: [ml-engineer] }
`;
export const CONFIGURATION = parseConfiguration(TEXT, 'lazaret.yaml');

/** The same with a section `intake`. */
export const configurationWith = (intake: string) => parseConfiguration(`${TEXT}intake:\n${intake}`, 'lazaret.yaml');

export function entry(seq: number, summary: string): CaseEntry {
  const at = new Date(NOW.getTime() + seq * 1000).toISOString();
  return {
    schema: 'lazaret.case-entry/v1',
    incident: 'signs-0123abcd',
    seq,
    at,
    phase: 'triage',
    step: 'brief',
    actor: 'lazaret',
    inputs: [],
    outputs: [],
    verdict: 'done',
    summary,
    statement: null,
  };
}

/** An incident client without Temporal: one open incident per endpoint, decisions kept, refusals by the digest `old`. */
export function fakeIncidents(state: () => Partial<IncidentState> = () => ({})) {
  const alerts: Alert[] = [];
  const statements: string[] = [];
  const open = new Set<string>();
  const log = [entry(0, 'opened'), entry(1, 'a line\nbreak\n\nevent: forged')];
  let away: Error | null = null;
  const name = (endpoint: string): string => `${endpoint}-0123abcd`;
  const find: IncidentClient['find'] = async (incident) => {
    if (away) throw away;
    const endpoint = incident.slice(0, -'-0123abcd'.length);
    if (!open.has(endpoint) || incident !== name(endpoint)) throw new IncidentNotFound(incident);
    const handle = Object.create(null);
    return { incident, endpoint, runId: 'r', open: true, handle };
  };
  const client: IncidentClient = {
    async raiseAlert(alert) {
      if (away) throw away;
      alerts.push(alert);
      open.add(alert.endpoint);
      return { incident: name(alert.endpoint), workflowId: `incident:${alert.endpoint}`, runId: 'r' };
    },
    noteResolved: async (alert) => (open.has(alert.endpoint) ? client.raiseAlert(alert) : null),
    list: async ({ limit }) =>
      [...open].slice(0, limit).map((endpoint) => ({
        incident: name(endpoint),
        endpoint,
        open: true,
        kind: 'poisoning',
        severity: 'high',
        phase: 'plan',
        waiting: 'plan',
        stance: 'shadow',
        outcome: null,
        openedAt: NOW.toISOString(),
        closedAt: null,
      })),
    find,
    async state(incident) {
      await find(incident);
      const facts: Partial<IncidentState> = { incident, status: 'running', ...state() };
      return Object.assign(Object.create(null), facts);
    },
    async entries(incident, from) {
      await find(incident);
      return log.slice(from);
    },
    async decide(incident, statement) {
      await find(incident);
      if (
        statement.includes(Buffer.from('"old"').toString('base64url').slice(0, 6)) ||
        decode(statement)['digest'] === 'old'
      ) {
        throw new DecisionRefused('The digest is not the one the gate asks about.');
      }
      statements.push(statement);
      return { accepted: true, gate: 'plan', person: String(decode(statement)['person']), remaining: 0 };
    },
    async *watch(_incident, { from = 0 } = {}) {
      yield log.slice(from);
    },
    ping: async () => {
      if (away) throw away;
    },
  };
  return { client, alerts, statements, open, goAway: (error: Error | null) => (away = error) };
}

export function decode(statement: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(statement.split('.')[1] ?? '', 'base64url').toString('utf8') || '{}');
}

const voucherKey = generateKeyPairSync('ed25519');

export function fakeDeps(incidents: IncidentClient, overrides: Partial<ApiDeps> = {}): ApiDeps {
  const objects = new Map<string, Uint8Array>();
  const unused = (): never => {
    throw new Error('not part of this test');
  };
  let count = 0;
  return {
    configuration: CONFIGURATION,
    incidents,
    runs: {
      startRetrain: async ({ job }) => job.jobId,
      retrain: async (id) => {
        if (id !== 'job-1') throw new RunNotFound('training run of that name');
        return { status: 'running' };
      },
      retrainResult: unused,
      startRegisterGolden: async ({ model, version }) => `${model}:${version}`,
      registerGolden: async () => ({ status: 'failed', message: 'no' }),
      registerGoldenResult: unused,
    },
    store: {
      put: async (store, bytes, about) => {
        const digest = digestOf(bytes);
        objects.set(digest, bytes);
        return { store, digest, bytes: bytes.length, ...about };
      },
      get: async ({ digest }) => objects.get(digest) ?? unused(),
      has: async ({ digest }) => objects.has(digest),
      readDocument: async () => null,
      writeDocument: unused,
      listDocuments: async () => new Map(),
      writeOnce: unused,
      readEvidence: async () => null,
      listEvidence: async () => [],
    },
    golden: { latest: async () => null, versions: async () => ['v1'] },
    exportBundle: async () =>
      (async function* () {
        yield new TextEncoder().encode('tar');
      })(),
    readEndpoint: async (endpoint) => {
      throw new Error(`${endpoint} does not answer`);
    },
    voucher: {
      kid: 'voucher-1',
      name: 'api',
      alg: 'EdDSA',
      publicKeyPem: voucherKey.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      sign: (message) => new Uint8Array(sign(null, message, voucherKey.privateKey)),
    },
    signStatement: (payload, typ, signer) => {
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const input = `${part({ alg: signer.alg, kid: signer.kid, typ })}.${part(payload)}`;
      return `${input}.${Buffer.from(signer.sign(new TextEncoder().encode(input))).toString('base64url')}`;
    },
    credentials: {
      alertmanager: ALERTMANAGER,
      generic: `whsec_${WEBHOOK_KEY.toString('base64')}`,
    },
    sns: null,
    clock: () => NOW,
    randomToken: () =>
      createHash('sha256')
        .update(String((count += 1)))
        .digest('base64url'),
    log: { level: 'silent' },
    probes: { temporal: () => incidents.ping(), s3: async () => undefined },
    consoleFolder: 'console',
    ...overrides,
  };
}

export async function startApi(overrides: Partial<ApiDeps> = {}, state?: () => Partial<IncidentState>) {
  const incidents = fakeIncidents(state);
  const deps = fakeDeps(incidents.client, overrides);
  const app: NestFastifyApplication = await createApi(deps);
  return { app, incidents, deps };
}
