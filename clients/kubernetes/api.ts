import { Failure } from '../../domain/incident/failure.ts';
import { bearerOf, createJsonCall, failureOf, type JsonCall } from '../adapters/json-call.ts';
import type { Json } from '../adapters/platform.ts';

export interface Resource {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: unknown;
  };
  readonly spec?: Json;
  readonly status?: Json;
}

/** Where resources of one kind lie, e.g. group `apps`, version `v1`, plural `deployments`. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** The few calls of the Kubernetes API that adapters need. Fail with `endpoint/unreachable` or `endpoint/refused`. */
export interface KubernetesApi {
  /** Null where there is none. */
  get(kind: Kind, namespace: string, name: string): Promise<Resource | null>;
  list(kind: Kind, namespace: string, selector: string): Promise<readonly Resource[]>;
  /** Replaces the resource that has this `resourceVersion`; 'conflict' where it has another by now. */
  replace(kind: Kind, resource: Resource): Promise<'done' | 'conflict'>;
  /** 'exists' where one of that name is there. */
  create(kind: Kind, namespace: string, resource: Resource): Promise<'done' | 'exists'>;
  /** That very one: not another that took its name. No error where it is gone already. */
  remove(kind: Kind, resource: Resource): Promise<void>;
}

const WHOM = 'the Kubernetes API';

export function createKubernetesApi(options: {
  readonly server: string;
  readonly tokenFile: string | undefined;
  readonly caFile: string | undefined;
  readonly timeoutMs: number;
}): KubernetesApi {
  const { server, tokenFile, caFile, timeoutMs } = options;
  const headers = tokenFile === undefined ? {} : { headers: bearerOf(tokenFile, 'the token for the Kubernetes API') };
  const call = createJsonCall({ whom: WHOM, base: server, ...headers, caFile, timeoutMs });

  return {
    get: async (kind, namespace, name) => {
      const answer = await call('GET', pathOf(kind, namespace, name));
      // 404 is also what a kind that is not installed answers; then the reason is another.
      if (answer.status === 404 && reasonOf(answer.json) === 'NotFound') return null;
      return resourceOf(good(answer));
    },
    list: async (kind, namespace, selector) => {
      const path = `${pathOf(kind, namespace)}?labelSelector=${encodeURIComponent(selector)}&limit=50`;
      const answer = good(await call('GET', path));
      const items = (answer.json as { items?: unknown }).items;
      return Array.isArray(items) ? (items as Resource[]) : [];
    },
    replace: async (kind, resource) => {
      const { namespace = '', name } = resource.metadata;
      const answer = await call('PUT', pathOf(kind, namespace, name), resource);
      if (answer.status === 409) return 'conflict';
      good(answer);
      return 'done';
    },
    create: async (kind, namespace, resource) => {
      const answer = await call('POST', pathOf(kind, namespace), resource);
      if (answer.status === 409) return 'exists';
      good(answer);
      return 'done';
    },
    remove: async (kind, { metadata }) => {
      const answer = await call('DELETE', pathOf(kind, metadata.namespace ?? '', metadata.name), {
        preconditions: { uid: metadata.uid },
      });
      if (answer.status !== 404) good(answer);
    },
  };
}

function pathOf({ group, version, plural }: Kind, namespace: string, name?: string): string {
  const root = group === '' ? `api/${version}` : `apis/${group}/${version}`;
  const place = `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  return name === undefined ? place : `${place}/${encodeURIComponent(name)}`;
}

function good(answer: Awaited<ReturnType<JsonCall>>): typeof answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw failureOf(WHOM, answer);
}

function resourceOf(answer: Awaited<ReturnType<JsonCall>>): Resource {
  const { json } = answer;
  const named = typeof json === 'object' && json !== null && 'metadata' in json;
  if (!named) throw new Failure('endpoint/refused', `${WHOM} answered with something that is no resource`);
  return json as Resource;
}

function reasonOf(json: unknown): unknown {
  return typeof json === 'object' && json !== null && 'reason' in json ? json.reason : null;
}
