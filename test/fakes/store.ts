import { objectKey, type ObjectRef } from '../../domain/contracts/object-ref.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { createMemoryStore, type MemoryStore } from '../evidence/memory-store.ts';

/** The store in memory that also goes away when told to, remembers the order of its writes, and lets an attacker at its bytes. */
export interface FakeStore extends MemoryStore {
  /** `put <name>` and `document <key>` for every write that took effect, in order. */
  readonly writes: string[];
  /** Every call fails with `storage/unavailable` from now on, or answers again. */
  away(gone: boolean): void;
  /** Called before each conditional write of a document, so that a test can be the other writer in a race. */
  onConflict(rival: ((key: string) => void) | null): void;
  /** Replaces the bytes that lie under a document's name, whatever they were. */
  overwrite(key: string, bytes: Uint8Array | string): void;
  /** Replaces the bytes that a reference names. */
  tamper(ref: ObjectRef, bytes: Uint8Array): void;
  forget(ref: ObjectRef): void;
}

export function createFakeStore(trace: string[] = []): FakeStore {
  const memory = createMemoryStore();
  let gone = false;
  let rival: ((key: string) => void) | null = null;
  const there = (): void => {
    if (gone) throw new Failure('storage/unavailable', 'S3 does not answer.');
  };
  return {
    buckets: memory.buckets,
    writes: trace,
    away: (now) => void (gone = now),
    onConflict: (other) => void (rival = other),
    overwrite: (key, bytes) =>
      void memory.buckets.artifacts.set(key, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes),
    tamper: (ref, bytes) => void memory.buckets[ref.store].set(objectKey(ref.digest), bytes),
    forget: (ref) => void memory.buckets[ref.store].delete(objectKey(ref.digest)),

    put: async (store, bytes, about) => {
      there();
      trace.push(`put ${about.name}`);
      return await memory.put(store, bytes, about);
    },
    get: async (ref) => {
      there();
      return await memory.get(ref);
    },
    has: async (ref) => {
      there();
      return await memory.has(ref);
    },
    readDocument: async (key) => {
      there();
      return await memory.readDocument(key);
    },
    writeDocument: async (key, bytes, mediaType, expect) => {
      there();
      rival?.(key);
      const written = await memory.writeDocument(key, bytes, mediaType, expect);
      if (written) trace.push(`document ${key}`);
      return written;
    },
    listDocuments: async (prefix) => {
      there();
      return await memory.listDocuments(prefix);
    },
    writeOnce: async (key, bytes, mediaType) => {
      there();
      return await memory.writeOnce(key, bytes, mediaType);
    },
    readEvidence: async (key) => {
      there();
      return await memory.readEvidence(key);
    },
    listEvidence: async (prefix) => {
      there();
      return await memory.listEvidence(prefix);
    },
  };
}
