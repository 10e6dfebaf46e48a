import { Failure } from '../../domain/incident/failure.ts';
import { merkleRootHex } from '../../domain/proofs/merkle.ts';
import { parseDigest, type Digest } from '../../domain/proofs/digest.ts';

/** One labelled example, with where it came from and when. */
export interface DataRecord {
  /** Unique in the whole data set. */
  readonly id: string;
  /** Row-major; its length is the product of the manifest's `featureShape`. */
  readonly features: Float32Array;
  readonly label: number;
  readonly source: string;
  readonly batch: string;
  /** Milliseconds since the epoch, UTC. */
  readonly ingestedAt: number;
}

/**
 * The canonical bytes of a record, the leaf of its shard's Merkle tree. All numbers are little-endian:
 *
 * | field | bytes |
 * |---|---|
 * | id, source, batch | each: uint32 length, then UTF-8 |
 * | label | int32 |
 * | ingested_at | int64, milliseconds since the epoch |
 * | features | uint32 count, then that many float32 |
 */
export function recordBytes(record: DataRecord): Uint8Array {
  const texts = [record.id, record.source, record.batch].map((text) => new TextEncoder().encode(text));
  const length = texts.reduce((sum, text) => sum + 4 + text.length, 0) + 4 + 8 + 4 + 4 * record.features.length;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    bytes.set(text, at + 4);
    at += 4 + text.length;
  }
  view.setInt32(at, record.label, true);
  view.setBigInt64(at + 4, BigInt(record.ingestedAt), true);
  view.setUint32(at + 12, record.features.length, true);
  at += 16;
  for (const feature of record.features) {
    view.setFloat32(at, feature, true);
    at += 4;
  }
  return bytes;
}

/** RFC 6962 root over the records in file order. */
export function recordRoot(records: readonly DataRecord[]): Digest {
  return parseDigest(`sha256:${merkleRootHex(records.map(recordBytes))}`);
}

const MAX_TEXT = 1_000;

/** What every record has to be before it may enter a data set. Throws `dataset/invalid`, naming the record. */
export function demandRecord(record: DataRecord, width: number, classes: number): void {
  const refuse = (what: string): never => {
    throw new Failure('dataset/invalid', `The record ${JSON.stringify(record.id.slice(0, 100))} ${what}.`);
  };
  for (const [name, text] of [
    ['an id', record.id],
    ['a source', record.source],
    ['a batch', record.batch],
  ] as const) {
    if (text.length === 0 || text.length > MAX_TEXT || /\p{Surrogate}/u.test(text)) {
      refuse(`has ${name} that is not a text of 1 to ${MAX_TEXT} characters`);
    }
  }
  if (record.features.length !== width) refuse(`has ${record.features.length} features where ${width} were expected`);
  if (!record.features.every(Number.isFinite)) refuse('has a feature that is not a finite number');
  if (!Number.isInteger(record.label) || record.label < 0 || record.label >= classes) {
    refuse(`has the label ${record.label} where 0 to ${classes - 1} were expected`);
  }
  if (!Number.isSafeInteger(record.ingestedAt)) refuse('has no ingestion time in whole milliseconds');
}

/** Orders texts by code point, as the lists of ids are (UTF-16 units, JavaScript's own order, put U+FFFF behind U+10000). */
export function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
