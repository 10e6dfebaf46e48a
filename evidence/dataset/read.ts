import {
  datasetManifestSchema,
  type DatasetColumns,
  type DatasetManifest,
  type DatasetRef,
  type Shard,
} from '../../domain/contracts/dataset.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { verifyModel } from '../model-signing/verify.ts';
import type { Store, TrustedKey } from '../ports.ts';
import { readExclusions } from './exclusions.ts';
import { MANIFEST_NAME, recordsIn, widthOf } from './manifest.ts';
import { demandRecord, recordRoot, type DataRecord } from './record.ts';
import { openShardReader, type ShardReader } from './shard-reader.ts';
import type { ShardColumns } from './shard.ts';

/** The manifest, once its OMS signature verifies against a key of use `dataset`. Throws `dataset/invalid` otherwise. */
export async function readManifest(
  store: Store,
  ref: DatasetRef,
  trustedKeys: readonly TrustedKey[],
): Promise<DatasetManifest> {
  const bytes = await fetched(store.get(ref.manifest), `The manifest of ${ref.name}`);
  const signature = await fetched(store.get(ref.signature), `The signature of ${ref.name}`);
  try {
    verifyModel(signature, [{ name: MANIFEST_NAME, bytes }], trustedKeys, 'dataset');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown';
    throw new Failure('dataset/invalid', `The manifest of ${ref.name} is not signed by a trusted key: ${reason}.`, {
      cause,
    });
  }
  const manifest = parse(bytes);
  if (manifest?.name !== ref.name) {
    throw new Failure(
      'dataset/invalid',
      `The manifest of ${ref.name} is not that of a data set of this name in canonical JSON.`,
    );
  }
  const excluded = manifest.exclusions?.count ?? 0;
  if (recordsIn(manifest.shards) - excluded !== manifest.records) {
    throw new Failure(
      'dataset/invalid',
      `The manifest of ${ref.name} counts ${manifest.records} records; its shards and exclusions make it ${recordsIn(manifest.shards) - excluded}.`,
    );
  }
  return manifest;
}

/** A data set that is what its signed manifest says, excluded records left out. Any difference is `dataset/invalid`, naming the shard. */
export async function readDataset(
  store: Store,
  ref: DatasetRef,
  trustedKeys: readonly TrustedKey[],
): Promise<{ manifest: DatasetManifest; columns: DatasetColumns }> {
  const manifest = await readManifest(store, ref, trustedKeys);
  return { manifest, columns: columnsOf(await readRecords(store, manifest), widthOf(manifest.featureShape)) };
}

/** The records of a verified manifest in the order of its shards, every shard checked, excluded records left out. */
export async function readRecords(store: Store, manifest: DatasetManifest): Promise<readonly DataRecord[]> {
  const excluded = await readExclusions(store, manifest.exclusions);
  const seen = new Set<string>();
  const kept: DataRecord[] = [];
  const reader = openShardReader();
  try {
    for (const shard of manifest.shards) {
      for (const record of await readShard(store, reader, shard, manifest)) {
        if (seen.has(record.id)) throw invalid(shard, `repeats the record id ${JSON.stringify(record.id)}`);
        seen.add(record.id);
        if (!excluded.has(record.id)) kept.push(record);
      }
    }
  } finally {
    reader.close();
  }
  for (const id of excluded) {
    if (!seen.has(id))
      throw new Failure(
        'dataset/invalid',
        `The exclusion list names ${JSON.stringify(id)}, which no shard of ${manifest.name} holds.`,
      );
  }
  return kept;
}

async function readShard(
  store: Store,
  reader: ShardReader,
  shard: Shard,
  manifest: DatasetManifest,
): Promise<readonly DataRecord[]> {
  const name = `The shard ${shard.object.digest} of batch ${shard.batch}`;
  const bytes = await fetched(store.get(shard.object), name);
  const columns = await reader.read(bytes, shard.records).catch((error: unknown) => {
    throw error instanceof Failure
      ? new Failure('dataset/invalid', `${name}: ${error.message}`, { cause: error })
      : error;
  });
  if (columns.count !== shard.records)
    throw invalid(shard, `has ${columns.count} records where ${shard.records} were expected`);
  const records = recordsOf(columns);
  const width = widthOf(manifest.featureShape);
  const ingestedAt = Date.parse(shard.ingestedAt);
  for (const record of records) {
    try {
      demandRecord(record, width, manifest.classes.length);
    } catch (error) {
      throw error instanceof Failure
        ? new Failure('dataset/invalid', `${name}: ${error.message}`, { cause: error })
        : error;
    }
    if (record.batch !== shard.batch || record.source !== shard.source || record.ingestedAt !== ingestedAt) {
      throw invalid(
        shard,
        `holds the record ${JSON.stringify(record.id)} of another batch, source or time than ${shard.batch}, ${shard.source}, ${shard.ingestedAt}`,
      );
    }
  }
  const root = recordRoot(records);
  if (root !== shard.recordRoot)
    throw invalid(shard, `has the record root ${root} where ${shard.recordRoot} was expected`);
  return records;
}

function recordsOf(columns: ShardColumns): readonly DataRecord[] {
  return columns.ids.map((id, row) => ({
    id,
    features: columns.features.subarray(row * columns.width, (row + 1) * columns.width),
    label: columns.labels[row] ?? -1,
    source: columns.sources[row] ?? '',
    batch: columns.batches[row] ?? '',
    ingestedAt: columns.ingestedAt[row] ?? Number.NaN,
  }));
}

function columnsOf(records: readonly DataRecord[], width: number): DatasetColumns {
  const features = new Float32Array(records.length * width);
  records.forEach((record, row) => features.set(record.features, row * width));
  return {
    count: records.length,
    width,
    ids: records.map((record) => record.id),
    features,
    labels: Int32Array.from(records, (record) => record.label),
    sources: records.map((record) => record.source),
    batches: records.map((record) => record.batch),
  };
}

/** Bytes that changed or went missing make the data set invalid; a store that is away does not, and may be asked again. */
async function fetched(bytes: Promise<Uint8Array>, what: string): Promise<Uint8Array> {
  try {
    return await bytes;
  } catch (error) {
    if (!(error instanceof Failure) || error.retryable) throw error;
    throw new Failure('dataset/invalid', `${what} cannot be used: ${error.message}`, { cause: error });
  }
}

function parse(bytes: Uint8Array): DatasetManifest | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    const manifest = datasetManifestSchema.safeParse(value);
    return manifest.success && canonicalJson(value) === text ? manifest.data : null;
  } catch {
    return null;
  }
}

function invalid(shard: Shard, what: string): Failure {
  return new Failure('dataset/invalid', `The shard ${shard.object.digest} of batch ${shard.batch} ${what}.`);
}
