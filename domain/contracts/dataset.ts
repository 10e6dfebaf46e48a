import { z } from 'zod';
import { digestSchema, objectRefSchema } from './object-ref.ts';

/**
 * A data set version is the digest of its manifest (canonical JSON, RFC 8785). One shard is one ingestion batch of one source, a Parquet
 * file with the columns `id` (string), `features` (list of float), `label` (int32), `source` (string), `batch` (string),
 * `ingested_at` (timestamp, UTC milliseconds). The manifest is signed as an OMS bundle over the single file `manifest.json`.
 */
export const shardSchema = z.object({
  object: objectRefSchema,
  batch: z.string().min(1).max(200),
  source: z.string().min(1).max(200),
  ingestedAt: z.iso.datetime({ offset: true }),
  records: z.number().int().nonnegative(),
  /** RFC 6962 root over the records of the shard in file order; a leaf is the record's canonical bytes (`recordBytes`). */
  recordRoot: digestSchema,
});
export type Shard = z.infer<typeof shardSchema>;

export const datasetManifestSchema = z.object({
  schema: z.literal('lazaret.dataset/v1'),
  name: z.string().min(1).max(200),
  /** Manifest digest of the version this one was made from. */
  parent: digestSchema.nullable(),
  /** Shape of one record's features, e.g. [1, 8, 8]; their product is the length of the `features` list. */
  featureShape: z.array(z.number().int().positive()).min(1).max(8),
  classes: z.array(z.string()).min(2).max(10_000),
  shards: z.array(shardSchema).min(1).max(100_000),
  /** Ids that are not part of this version although their shard holds them: JSON array of strings, sorted by code point. */
  exclusions: z.object({ object: objectRefSchema, count: z.number().int().positive() }).nullable(),
  records: z.number().int().nonnegative(),
  createdAt: z.iso.datetime({ offset: true }),
  createdBy: z.string().min(1).max(200),
});
export type DatasetManifest = z.infer<typeof datasetManifestSchema>;

export const datasetRefSchema = z.object({
  name: z.string().min(1).max(200),
  manifest: objectRefSchema,
  signature: objectRefSchema,
});
export type DatasetRef = z.infer<typeof datasetRefSchema>;

/** Records as arrays, the form analysers work on. `features` is row-major [count × width]. */
export interface DatasetColumns {
  readonly count: number;
  readonly width: number;
  readonly ids: readonly string[];
  readonly features: Float32Array;
  readonly labels: Int32Array;
  readonly sources: readonly string[];
  readonly batches: readonly string[];
}
