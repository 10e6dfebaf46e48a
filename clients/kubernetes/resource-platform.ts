import { Failure } from '../../domain/incident/failure.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import type { Probe } from '../inference/probe.ts';
import { openRecord } from '../adapters/held-record.ts';
import type { Json, Look, Platform } from '../adapters/platform.ts';
import type { Kind, KubernetesApi, Resource } from './api.ts';

/** Where an order's record lies: on the resource it changes, in the same write. The other annotations tell people what happened. */
export const ANNOTATIONS = {
  held: 'lazaret.dev/held',
  order: 'lazaret.dev/order',
  stance: 'lazaret.dev/stance',
} as const;
const OURS: ReadonlySet<string> = new Set(Object.values(ANNOTATIONS));
/** A copy of the resource inside the resource. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** An endpoint whose stance is written in one resource. `apply` gives back the whole resource with nothing else changed. */
export interface ResourceStance<State extends Json> extends Pick<
  Platform<State>,
  'name' | 'captures' | 'stances' | 'towards'
> {
  readonly kind: Kind;
  readonly namespace: string;
  readonly resource: string;
  select(resource: Resource): State;
  apply(resource: Resource, state: State): Resource;
  words(state: State): string;
}

/**
 * Read–modify–write of one resource by its resource version: whoever changed it in between is never overwritten, the write is tried again on
 * what they made of it. What the resource's schema does not know to us goes back as it came.
 */
export function createResourcePlatform<State extends Json>(
  stance: ResourceStance<State>,
  deps: { readonly api: KubernetesApi; readonly probe: Probe; readonly model: string },
): Platform<State> {
  const { api } = deps;
  const { kind, namespace, resource: name } = stance;

  async function get(): Promise<Resource> {
    const resource = await api.get(kind, namespace, name);
    if (resource) return resource;
    throw new Failure('endpoint/refused', `there is no ${kind.plural} ${namespace}/${name}`);
  }

  return {
    name: stance.name,
    captures: stance.captures,
    stances: stance.stances,
    towards: (wanted, now) => stance.towards(wanted, now),
    look: async () => lookAt(await get(), stance),
    change: async (look, next, record) => {
      const resource = await get();
      if (resource.metadata.resourceVersion !== look.mark) return 'conflict';
      return await api.replace(kind, withRecord(stance.apply(resource, next), record));
    },
    probe: () => deps.probe(deps.model),
  };
}

export function lookAt<State extends Json>(
  resource: Resource,
  stance: Pick<ResourceStance<State>, 'select' | 'words'>,
): Look<State> {
  const { uid, creationTimestamp, resourceVersion, annotations } = resource.metadata;
  const state = stance.select(resource);
  return {
    state,
    words: stance.words(state),
    captured: evidenceOf(resource),
    told: {
      ...(uid === undefined ? {} : { replica: uid }),
      ...(creationTimestamp === undefined ? {} : { since: creationTimestamp }),
    },
    record: annotations?.[ANNOTATIONS.held] ?? null,
    mark: resourceVersion ?? null,
  };
}

/** The resource with the record and what people read. */
export function withRecord(resource: Resource, record: string): Resource {
  const held = openRecord(record);
  const annotations = {
    ...resource.metadata.annotations,
    [ANNOTATIONS.held]: record,
    [ANNOTATIONS.order]: held?.receipt.orderId ?? '',
    [ANNOTATIONS.stance]: held?.receipt.after.stance.kind ?? '',
  };
  return { ...resource, metadata: { ...resource.metadata, annotations } };
}

/** What goes into evidence: without the API's bookkeeping and our own notes; the values of environment variables as digests, they may be secrets. */
export function evidenceOf(resource: Resource): Json {
  const { annotations = {}, managedFields: _managed, ...metadata } = resource.metadata;
  const theirs = Object.entries(annotations).filter(([key]) => !OURS.has(key) && key !== LAST_APPLIED);
  return withoutSecrets({ ...resource, metadata: { ...metadata, annotations: Object.fromEntries(theirs) } } as Json);
}

function withoutSecrets(value: Json, within = ''): Json {
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, within));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      within === 'env' && key === 'value' && typeof inner === 'string'
        ? [key, digestOf(inner)]
        : [key, withoutSecrets(inner, key)],
    ),
  );
}
