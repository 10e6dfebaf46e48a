import { objectKey, type ObjectRef, type ObjectStore } from '../../domain/contracts/object-ref.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import type { Store } from '../../evidence/ports.ts';

/** The store in memory, with the buckets laid open for a test to tamper with. Keys are those of the real one. */
export interface MemoryStore extends Store {
  readonly buckets: Readonly<Record<ObjectStore, Map<string, Uint8Array>>>;
}

export function createMemoryStore(): MemoryStore {
  const buckets = { evidence: new Map<string, Uint8Array>(), artifacts: new Map<string, Uint8Array>() };
  const listed = (bucket: Map<string, Uint8Array>, prefix: string) =>
    [...bucket.keys()].filter((key) => key.startsWith(prefix)).sort();
  return {
    buckets,
    put: async (store, bytes, about) => {
      const ref: ObjectRef = { store, digest: digestOf(bytes), bytes: bytes.length, ...about };
      if (!buckets[store].has(objectKey(ref.digest))) buckets[store].set(objectKey(ref.digest), Uint8Array.from(bytes));
      return ref;
    },
    get: async (ref) => {
      const bytes = buckets[ref.store].get(objectKey(ref.digest));
      if (!bytes) throw new Failure('storage/not-found', `${ref.name} does not exist.`);
      if (bytes.length !== ref.bytes || digestOf(bytes) !== ref.digest) {
        throw new Failure('storage/digest-mismatch', `${ref.name} is not what its reference says.`);
      }
      return bytes;
    },
    has: async (ref) => buckets[ref.store].get(objectKey(ref.digest))?.length === ref.bytes,
    readDocument: async (key) => {
      const bytes = buckets.artifacts.get(key);
      return bytes ? { bytes, etag: digestOf(bytes) } : null;
    },
    writeDocument: async (key, bytes, _mediaType, expect) => {
      const found = buckets.artifacts.get(key);
      const holds = expect === 'any' || (expect === null ? !found : found !== undefined && digestOf(found) === expect);
      if (holds) buckets.artifacts.set(key, Uint8Array.from(bytes));
      return holds;
    },
    listDocuments: async (prefix) =>
      new Map(listed(buckets.artifacts, prefix).map((key) => [key, digestOf(buckets.artifacts.get(key)!)])),
    writeOnce: async (key, bytes) => {
      if (buckets.evidence.has(key)) return 'exists';
      buckets.evidence.set(key, Uint8Array.from(bytes));
      return 'written';
    },
    readEvidence: async (key) => buckets.evidence.get(key) ?? null,
    listEvidence: async (prefix) => listed(buckets.evidence, prefix),
  };
}
