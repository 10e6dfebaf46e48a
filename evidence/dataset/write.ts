import type { DatasetManifest, Shard } from '../../domain/contracts/dataset.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import type { Signer, Store } from '../ports.ts';
import { writeExclusions } from './exclusions.ts';
import { recordsIn, sealManifest, widthOf, type WrittenDataset } from './manifest.ts';
import { demandRecord, recordRoot, type DataRecord } from './record.ts';
import { encodeShard } from './shard.ts';

/** One ingestion: records of one source that came in together. */
export interface IngestionBatch {
  readonly batch: string;
  readonly source: string;
  /** RFC 3339. */
  readonly ingestedAt: string;
  readonly records: readonly Pick<DataRecord, 'id' | 'features' | 'label'>[];
}

export interface DatasetDraft {
  readonly name: string;
  readonly classes: readonly string[];
  readonly featureShape: readonly number[];
  readonly batches: readonly IngestionBatch[];
  /** Shards of an earlier version that this one takes over as they are. */
  readonly shards?: readonly Shard[];
  /** Manifest digest of that version. */
  readonly parent?: Digest | null;
  /** Ids to leave out; whether the shards hold them is checked when the version is read. */
  readonly exclusions?: readonly string[];
  readonly createdBy: string;
  readonly createdAt: string;
}

/** Writes a version: one shard for each batch, behind the shards taken over. The same draft gives the same manifest. */
export async function writeDataset(store: Store, signer: Signer, draft: DatasetDraft): Promise<WrittenDataset> {
  const ids = new Set<string>();
  const shards: Shard[] = [...(draft.shards ?? [])];
  for (const batch of draft.batches) {
    if (shards.some((shard) => shard.batch === batch.batch)) {
      throw new Failure('dataset/invalid', `The batch ${batch.batch} is there already: a batch is ingested once.`);
    }
    shards.push(await writeShard(store, batch, draft, ids));
  }
  const exclusions = await writeExclusions(store, draft.exclusions ?? []);
  const manifest: DatasetManifest = {
    schema: 'lazaret.dataset/v1',
    name: draft.name,
    parent: draft.parent ?? null,
    featureShape: [...draft.featureShape],
    classes: [...draft.classes],
    shards,
    exclusions,
    records: recordsIn(shards) - (exclusions?.count ?? 0),
    createdAt: draft.createdAt,
    createdBy: draft.createdBy,
  };
  return await sealManifest(store, signer, manifest);
}

async function writeShard(store: Store, batch: IngestionBatch, draft: DatasetDraft, ids: Set<string>): Promise<Shard> {
  const { source, ingestedAt } = batch;
  const instant = Date.parse(ingestedAt);
  const width = widthOf(draft.featureShape);
  const records = batch.records.map(({ id, features, label }): DataRecord => {
    const record = { id, features, label, source, batch: batch.batch, ingestedAt: instant };
    demandRecord(record, width, draft.classes.length);
    if (ids.has(id))
      throw new Failure('dataset/invalid', `The record id ${JSON.stringify(id.slice(0, 100))} is given twice.`);
    ids.add(id);
    return record;
  });
  const object = await store.put('artifacts', encodeShard(records), {
    mediaType: 'application/vnd.apache.parquet',
    name: `${batch.batch.slice(0, 200)}.parquet`,
  });
  return { object, batch: batch.batch, source, ingestedAt, records: records.length, recordRoot: recordRoot(records) };
}
