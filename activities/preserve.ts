import type { PreserveActivities } from '../domain/contracts/activities.ts';
import type { ForensicReceipt } from '../domain/contracts/gateway.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import type { ModelRef, Stance } from '../domain/contracts/stance.ts';
import { Failure } from '../domain/incident/failure.ts';
import { canonicalJson } from '../domain/proofs/canonical-json.ts';
import { digestOf, hexOf, type Digest } from '../domain/proofs/digest.ts';
import { DOCUMENTS, type Store } from '../evidence/ports.ts';
import { endpointOf, type ActivityDependencies } from './dependencies.ts';
import { readLineage } from './lineage-records.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'keys' | 'store' | 'registry' | 'adapter'>;

export function createPreserveActivities(deps: Needs): PreserveActivities {
  const { store } = deps;
  const json = (value: unknown, name: string): Promise<ObjectRef> =>
    store.put('evidence', new TextEncoder().encode(canonicalJson(value)), { mediaType: 'application/json', name });

  return {
    preserveCapture: async ({ receipt }) => {
      const adapter = deps.adapter(receipt.endpoint);
      const windowBytes = await adapter.window(receipt);
      if (digestOf(windowBytes) !== receipt.window.digest) {
        throw new Failure(
          'storage/digest-mismatch',
          `the request window of ${receipt.endpoint} is not the one the receipt names`,
        );
      }
      const live = receipt.before.loaded.find((model) => model.role === 'live') ?? receipt.before.loaded[0];
      const answering = answeringModel(receipt.before.stance);
      const model = live ? await modelBytes(deps, receipt, live.digest, answering) : null;
      return {
        endpoint: receipt.endpoint,
        receipt: await json(receipt, `receipt-${receipt.endpoint}.json`),
        window: await store.put('evidence', windowBytes, {
          mediaType: 'application/x-ndjson',
          name: `window-${receipt.endpoint}.ndjson`,
        }),
        model:
          model &&
          (await store.put('evidence', model, {
            mediaType: 'application/onnx',
            name: `served-${receipt.endpoint}.onnx`,
          })),
        signature: answering && (await copyToEvidence(store, answering.signature)),
        modelDigest: live?.digest ?? null,
        lineage: live ? await preserveLineage(deps, live.digest) : [],
      };
    },

    preserveContext: async ({ incident, endpoint, alerts }) => {
      const config = endpointOf(deps, endpoint);
      const objects: ObjectRef[] = [
        await json(alerts, 'alerts.json'),
        await json(
          { incident, endpoint, configuration: config, model: deps.configuration.models[config.model] },
          'configuration.json',
        ),
      ];
      const golden = await deps.registry.latest(config.model);
      if (golden) {
        objects.push(await json(golden, 'golden-record.json'), await copyToEvidence(store, golden.dataset.manifest));
        objects.push(await copyToEvidence(store, golden.profile));
        if (golden.provenance) objects.push(await copyToEvidence(store, golden.provenance));
      }
      const status = await deps.adapter(endpoint).read(endpoint);
      objects.push(await json(status, 'endpoint-status.json'));
      return { objects };
    },
  };
}

/** The model that a stance answers with, whose lineage is preserved too. */
export function answeringModel(stance: Stance): ModelRef | null {
  switch (stance.kind) {
    case 'serving':
    case 'canary':
    case 'mirror':
    case 'limited':
    case 'shadow':
      return stance.model;
    case 'fallback':
    case 'isolated':
    case 'found':
      return null;
  }
}

/** From the endpoint's own memory where it still has the bytes; the store's copy otherwise, and the digest decides either way. */
async function modelBytes(
  deps: Needs,
  receipt: ForensicReceipt,
  digest: Digest,
  ref: ModelRef | null,
): Promise<Uint8Array | null> {
  const served = await deps.adapter(receipt.endpoint).model(receipt, digest);
  if (served) {
    if (digestOf(served) !== digest)
      throw new Failure('storage/digest-mismatch', `${receipt.endpoint} gave other model bytes than it says it served`);
    return served;
  }
  return ref && ref.artifact.digest === digest ? await deps.store.get(ref.artifact) : null;
}

async function copyToEvidence(store: Store, ref: ObjectRef): Promise<ObjectRef> {
  if (ref.store === 'evidence') return ref;
  return await store.put('evidence', await store.get(ref), { mediaType: ref.mediaType, name: ref.name });
}

/** The lineage of a preserved model: its provenance envelope and its data set's manifest, for the bundle. */
export async function preserveLineage(deps: Needs, artifact: Digest): Promise<readonly ObjectRef[]> {
  const envelope = await deps.store.readDocument(DOCUMENTS.provenance(hexOf(artifact)));
  if (!envelope) return [];
  const kept = [
    await deps.store.put('evidence', envelope.bytes, {
      mediaType: 'application/vnd.in-toto+json',
      name: 'provenance-suspect.json',
    }),
  ];
  const lineage = await readLineage(deps, artifact);
  if (lineage) kept.push(await copyToEvidence(deps.store, lineage.manifest));
  return kept;
}
