import { objectKey, type ObjectRef, type ObjectStore } from '../../domain/contracts/object-ref.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { Store } from '../../evidence/ports.ts';
import { connect, type S3Config } from './connection.ts';
import { bucketOf, digestOfBytes, type Bucket } from './objects.ts';

/** The store, and the end of its connections. */
export interface S3Store extends Store {
  close(): void;
}

const DAY_MS = 86_400_000;

/**
 * Content-addressed objects and named documents in S3. Writes are conditional on the service's side (`If-None-Match`, `If-Match`); versitygw
 * honours both, also when many writers race: exactly one wins, the others get 412.
 *
 * An attacker with the station's credentials can put a newer version or a delete marker over an evidence object, but cannot remove the locked
 * one: reads notice (`storage/digest-mismatch`, `storage/not-found`), and the version with the digest is still there to be restored.
 */
export function createS3Store(config: S3Config, now: () => number = Date.now): S3Store {
  const client = connect(config);
  const evidence = bucketOf(client, config.evidenceBucket);
  const artifacts = bucketOf(client, config.artifactsBucket);
  const home = (store: ObjectStore): Bucket => (store === 'evidence' ? evidence : artifacts);
  const lockUntil = (): Date => new Date(now() + config.retentionDays * DAY_MS);

  /** Evidence that is used again has to outlive its newest use. A day's grace spares a call for each use. */
  async function keepLocked(key: string, retainUntil: Date | null): Promise<void> {
    const until = lockUntil();
    if (!retainUntil || retainUntil.getTime() < until.getTime() - DAY_MS) await evidence.extendLock(key, until);
  }

  return {
    async put(store, bytes, about) {
      const digest = digestOfBytes(bytes);
      const ref: ObjectRef = { store, digest, bytes: bytes.length, mediaType: about.mediaType, name: about.name };
      const key = objectKey(digest);
      const bucket = home(store);
      const locked = store === 'evidence';
      if (await bucket.write(key, bytes, about.mediaType, null, locked ? lockUntil() : null)) return ref;

      const found = await bucket.look(key);
      if (!found) throw notFound(ref, bucket, 'is hidden behind a delete marker');
      if (found.bytes !== bytes.length) throw wrongLength(ref, bucket, found.bytes);
      if (locked) await keepLocked(key, found.retainUntil);
      return ref;
    },

    async get(ref) {
      const bucket = home(ref.store);
      const found = await bucket.read(objectKey(ref.digest));
      if (!found) throw notFound(ref, bucket, 'does not exist');
      if (found.bytes.length !== ref.bytes) throw wrongLength(ref, bucket, found.bytes.length);
      const digest = digestOfBytes(found.bytes);
      if (digest !== ref.digest) {
        throw new Failure(
          'storage/digest-mismatch',
          `${bucket.name}/${objectKey(ref.digest)} (${ref.name}) has the digest ${digest}, not the one it is named by.`,
        );
      }
      return found.bytes;
    },

    async has(ref) {
      const found = await home(ref.store).look(objectKey(ref.digest));
      return found !== null && found.bytes === ref.bytes;
    },

    readDocument: (key) => artifacts.read(key),
    writeDocument: (key, bytes, mediaType, expect) => artifacts.write(key, bytes, mediaType, expect, null),
    listDocuments: (prefix) => artifacts.list(prefix),

    async writeOnce(key, bytes, mediaType) {
      return (await evidence.write(key, bytes, mediaType, null, lockUntil())) ? 'written' : 'exists';
    },
    readEvidence: async (key) => (await evidence.read(key))?.bytes ?? null,
    listEvidence: async (prefix) => [...(await evidence.list(prefix)).keys()],

    close: () => client.destroy(),
  };
}

function notFound(ref: ObjectRef, bucket: Bucket, how: string): Failure {
  return new Failure('storage/not-found', `${bucket.name}/${objectKey(ref.digest)} (${ref.name}) ${how}.`);
}

function wrongLength(ref: ObjectRef, bucket: Bucket, found: number): Failure {
  return new Failure(
    'storage/digest-mismatch',
    `${bucket.name}/${objectKey(ref.digest)} (${ref.name}) has ${found} bytes where its reference says ${ref.bytes}.`,
  );
}
