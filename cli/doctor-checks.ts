import { chooseAdapter } from '../clients/adapters/choose.ts';
import { trustRootOf } from '../clients/configuration/trust-root.ts';
import { proveObjectLock } from '../clients/s3/lock-proof.ts';
import { createS3Store, type S3Store } from '../clients/s3/store.ts';
import type { Configuration, EndpointConfig } from '../domain/contracts/configuration.ts';
import type { EndpointAdapter } from '../domain/contracts/endpoint-adapter.ts';
import { RESPONSE_QUEUE } from '../domain/contracts/messages.ts';
import { missingRoles } from '../domain/incident/gates.ts';
import { createGoldenRegistry } from '../evidence/golden/registry.ts';
import { verifyModel } from '../evidence/model-signing/verify.ts';
import type { TrustedKey } from '../evidence/ports.ts';
import { createTemporalProbe } from '../station/readiness.ts';
import type { Connections } from './connections.ts';

export interface Check {
  readonly subject: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy: string | null;
}

interface Examination {
  readonly configuration: Configuration;
  readonly connections: Connections;
  readonly keys: readonly TrustedKey[];
  readonly told: (check: Check) => void;
}

const ENDPOINT_LIMIT_MS = 3000;
/** Workers ask for work at least once a minute (Temporal's long poll). */
const POLL_AGE_MS = 70_000;

/** One after the other, in the order in which they build on each other; a failed one does not keep the rest from being tried. */
export async function runChecks(examination: Examination): Promise<void> {
  const { configuration, connections, told } = examination;
  const attempt = async (subject: string, remedy: string, prove: () => Promise<string>): Promise<void> => {
    try {
      told({ subject, ok: true, detail: await prove(), remedy: null });
    } catch (error) {
      told({ subject, ok: false, detail: error instanceof Error ? error.message : String(error), remedy });
    }
  };

  keysAndGates(examination);
  await attempt('S3: Object Lock', 'let Lazaret create the evidence bucket (`lazaret station prepare`)', async () => {
    const why = await proveObjectLock(connections.s3);
    if (why) throw new Error(why);
    return `a locked object of ${connections.s3.evidenceBucket} could not be deleted, with our own credentials`;
  });

  const { LAZARET_TEMPORAL_ADDRESS: address, LAZARET_TEMPORAL_NAMESPACE: namespace } = connections.temporal;
  const probe = createTemporalProbe(address, namespace);
  await attempt('Temporal', 'start it, or mend LAZARET_TEMPORAL_ADDRESS; then `lazaret station prepare`', async () => {
    if (!(await probe.serves())) throw new Error('search attributes of incidents are missing');
    return `${address}, namespace ${namespace}, search attributes are there`;
  });
  const since = new Date(Date.now() - POLL_AGE_MS);
  const polled = (queue: string, kind: 'workflow' | 'activity', what: string) => async () => {
    if (!(await probe.polled(queue, kind, since))) throw new Error(`nobody asks the queue "${queue}" for work`);
    return `${what} asks the queue "${queue}" for work`;
  };
  await attempt(
    'response worker',
    'start it: `npm start`, or the container "response"',
    polled(RESPONSE_QUEUE, 'workflow', 'a response worker'),
  );
  for (const queue of new Set(Object.values(configuration.models).map((model) => model.queue)))
    await attempt(
      `trainer "${queue}"`,
      'start a worker that serves the trainer contract there',
      polled(queue, 'activity', 'a trainer'),
    );
  await probe.close();

  const store = createS3Store(connections.s3);
  try {
    for (const model of Object.keys(configuration.models))
      await attempt(`golden "${model}"`, `register one: \`lazaret golden register ${model} …\``, () =>
        provenGolden(store, examination.keys, model, () => unserved(examination, model)),
      );
  } finally {
    store.close();
  }
  for (const [name, endpoint] of Object.entries(configuration.endpoints))
    await attempt(`endpoint "${name}"`, remedyOf(endpoint), () => provenEndpoint(examination, name, endpoint));
}

/** The record verifies, and so do the model's bytes: what a shadow would answer with. */
async function provenGolden(
  store: S3Store,
  keys: readonly TrustedKey[],
  model: string,
  unneeded: () => Promise<boolean>,
): Promise<string> {
  const record = await createGoldenRegistry(store, keys).latest(model);
  if (!record && (await unneeded())) return 'none is registered, and no endpoint was told to serve it yet';
  if (!record) throw new Error('no golden record is registered, so the endpoint would be isolated instead of shadowed');
  const [bytes, signature] = [await store.get(record.ref.artifact), await store.get(record.ref.signature)];
  const { keyName } = verifyModel(signature, [{ name: 'model.onnx', bytes }], keys, 'model');
  return `version ${record.ref.version} verifies, signed by ${keyName}`;
}

/** No endpoint of this family ever had an order: nothing is there to be shadowed. An endpoint that does not answer may well serve it. */
async function unserved(examination: Examination, model: string): Promise<boolean> {
  const { configuration } = examination;
  const family = Object.entries(configuration.endpoints).filter(([, endpoint]) => endpoint.model === model);
  const idle = family.map(async ([name, endpoint]) => {
    // What a platform serves is not known by the orders that were given.
    if (endpoint.adapter !== 'gateway') return false;
    const status = await reading(examination, name, endpoint, (adapter) => adapter.read(name)).catch(() => null);
    return status?.revision === 0;
  });
  return (await Promise.all(idle)).every(Boolean);
}

/** Asks the endpoint by the adapter that lazaret.yaml names. */
async function reading<T>(
  { connections, keys }: Examination,
  name: string,
  endpoint: EndpointConfig,
  ask: (adapter: EndpointAdapter) => Promise<T>,
): Promise<T> {
  if (endpoint.adapter === 'gateway' && !connections.adminToken)
    throw new Error('no admin token: set LAZARET_GATEWAY_ADMIN_TOKEN_FILE');
  const store = createS3Store(connections.s3);
  try {
    const needs = { gatewayToken: connections.adminToken, keys, store, now: () => new Date() };
    return await ask(chooseAdapter(name, endpoint, { ...needs, timeoutMs: ENDPOINT_LIMIT_MS }));
  } finally {
    store.close();
  }
}

function remedyOf({ adapter }: EndpointConfig): string {
  return adapter === 'gateway'
    ? 'start its gateway, or mend admin, inference and the admin token'
    : `mend what lazaret.yaml says of it, and the rights that docs/adapters.md lists for ${adapter}`;
}

/** The admin surface answers, and the inference surface does what the stance says. */
async function provenEndpoint(examination: Examination, name: string, endpoint: EndpointConfig): Promise<string> {
  return await reading(examination, name, endpoint, async (adapter) => {
    const status = await adapter.read(name);
    const expected = status.stance.kind === 'isolated' ? 'refusing' : 'answering';
    const { holds, observed } = await adapter.verify(name, expected);
    if (!holds) throw new Error(`its stance is ${status.stance.kind}, but it was observed ${observed}`);
    return `${status.stance.kind}${status.incident ? ` for ${status.incident}` : ''}, and really ${expected}`;
  });
}

/** Could each gate ever open? Everybody who may sign signs in thought. */
function keysAndGates({ configuration, keys, told }: Examination): void {
  try {
    const trust = trustRootOf(configuration, keys);
    told({
      subject: 'keys',
      ok: true,
      detail: `${keys.length} machine keys, ${trust.people.flatMap((person) => person.keys).length} keys of people`,
      remedy: null,
    });
    const able = configuration.people.filter((person) => person.keys.length > 0 || person.tokenDigest !== null);
    const votes = able.flatMap((person) => person.roles.map((role) => ({ person: person.id, role })));
    for (const gate of ['plan', 'release'] as const) {
      const missing = missingRoles(configuration.gates[gate], votes, trust);
      const ok = missing.length === 0;
      told({
        subject: `gate "${gate}"`,
        ok,
        detail: ok
          ? `can be opened by ${configuration.gates[gate].map((roles) => roles.join(' or ')).join(' and ')}`
          : `nobody who could sign is left for ${missing.map((roles) => roles.join(' or ')).join(' and ')}`,
        remedy: ok ? null : 'give another person the role, with a key or a token, in lazaret.yaml',
      });
    }
  } catch (error) {
    told({
      subject: 'keys',
      ok: false,
      detail: error instanceof Error ? error.message : String(error),
      remedy: 'mend the key that is named in lazaret.yaml or trust.json',
    });
  }
}
