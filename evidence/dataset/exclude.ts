import type { DatasetManifest, DatasetRef } from '../../domain/contracts/dataset.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import type { Signer, Store } from '../ports.ts';
import { readExclusions, writeExclusions } from './exclusions.ts';
import { recordsIn, sealManifest } from './manifest.ts';
import { readRecords } from './read.ts';
import { byCodePoint } from './record.ts';

/** What a new version leaves out, as evidence: plain JSON. */
export interface DatasetDiff {
  readonly schema: 'lazaret.dataset-diff/v1';
  readonly name: string;
  /** Manifest digests. */
  readonly before: Digest;
  readonly after: Digest;
  readonly dropped: number;
  readonly kept: number;
  /** The records dropped by this change, not by earlier ones; ids sorted by code point. */
  readonly byBatch: readonly { readonly batch: string; readonly source: string; readonly ids: readonly string[] }[];
}

/**
 * A new version without some records: the old shards, the union of both exclusion lists, the old version as parent. `manifest` MUST be the
 * verified one of `ref`. Every id has to be a record of the old version: a list that names others is not about this data set.
 */
export async function excludeRecords(
  store: Store,
  signer: Signer,
  ref: DatasetRef,
  manifest: DatasetManifest,
  ids: readonly string[],
  about: { readonly createdBy: string; readonly createdAt: string },
): Promise<{ dataset: DatasetRef; manifest: DatasetManifest; diff: DatasetDiff }> {
  const drop = new Set(ids);
  const dropped = (await readRecords(store, manifest)).filter((record) => drop.has(record.id));
  if (dropped.length !== drop.size) {
    const found = new Set(dropped.map((record) => record.id));
    const [stranger = ''] = [...drop].filter((id) => !found.has(id));
    throw new Failure(
      'dataset/invalid',
      `The list of records to drop names ${JSON.stringify(stranger)}, which is not in ${ref.name}.`,
    );
  }

  const earlier = await readExclusions(store, manifest.exclusions);
  const exclusions = await writeExclusions(store, [...earlier, ...drop]);
  const written = await sealManifest(store, signer, {
    ...manifest,
    parent: ref.manifest.digest,
    exclusions,
    records: recordsIn(manifest.shards) - (exclusions?.count ?? 0),
    ...about,
  });
  const byBatch = manifest.shards
    .map(({ batch, source }) => ({
      batch,
      source,
      ids: dropped.flatMap((record) => (record.batch === batch ? [record.id] : [])).sort(byCodePoint),
    }))
    .filter((batch) => batch.ids.length > 0);
  return {
    dataset: written.ref,
    manifest: written.manifest,
    diff: {
      schema: 'lazaret.dataset-diff/v1',
      name: manifest.name,
      before: ref.manifest.digest,
      after: written.ref.manifest.digest,
      dropped: dropped.length,
      kept: written.manifest.records,
      byBatch,
    },
  };
}
