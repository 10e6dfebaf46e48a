import {
  datasetManifestSchema,
  type DatasetManifest,
  type DatasetRef,
  type Shard,
} from '../../domain/contracts/dataset.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { signModel } from '../model-signing/sign.ts';
import type { Signer, Store } from '../ports.ts';

/** The one file that a data set's OMS bundle signs. */
export const MANIFEST_NAME = 'manifest.json';
export const OMS_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

export interface WrittenDataset {
  readonly ref: DatasetRef;
  readonly manifest: DatasetManifest;
}

/** Stores and signs a manifest. The version is the digest of its canonical JSON, so the same manifest is the same version. */
export async function sealManifest(store: Store, signer: Signer, draft: DatasetManifest): Promise<WrittenDataset> {
  const parsed = datasetManifestSchema.safeParse(draft);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Failure(
      'dataset/invalid',
      `The manifest is wrong at ${issue?.path.join('.') ?? 'its top'}: ${issue?.message ?? 'unknown'}.`,
    );
  }
  const manifest = parsed.data;
  const bytes = new TextEncoder().encode(canonicalJson(manifest));
  const signature = signModel([{ name: MANIFEST_NAME, bytes }], signer);
  return {
    manifest,
    ref: {
      name: manifest.name,
      manifest: await store.put('artifacts', bytes, { mediaType: 'application/json', name: MANIFEST_NAME }),
      signature: await store.put('artifacts', signature, { mediaType: OMS_MEDIA_TYPE, name: `${MANIFEST_NAME}.sig` }),
    },
  };
}

/** How many records the shards hold, excluded ones included. */
export function recordsIn(shards: readonly Shard[]): number {
  return shards.reduce((sum, shard) => sum + shard.records, 0);
}

/** Length of the `features` list of one record. */
export function widthOf(featureShape: readonly number[]): number {
  return featureShape.reduce((product, size) => product * size, 1);
}
