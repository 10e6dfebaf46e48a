import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectRetentionCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { parseDigest, type Digest } from '../../domain/proofs/digest.ts';
import { refusalOf, unavailable, wasRepeated } from './refusals.ts';

/** SHA-256 by the runtime's native code: models are large, and this process is not a workflow. */
export function digestOfBytes(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

export interface StoredObject {
  readonly bytes: number;
  readonly retainUntil: Date | null;
}

/** When a write may happen: only where nothing is (`null`), only over one version (its etag), or always. */
export type Expectation = string | null | 'any';

/** The five calls the store is made of, for one bucket. Every error that leaves is a Failure. */
export interface Bucket {
  readonly name: string;
  /** False where the expectation does not hold. `lockUntil` puts the new version under COMPLIANCE retention. */
  write(
    key: string,
    bytes: Uint8Array,
    mediaType: string,
    expect: Expectation,
    lockUntil: Date | null,
  ): Promise<boolean>;
  /** Null where there is none. */
  read(key: string): Promise<{ bytes: Uint8Array; etag: string } | null>;
  look(key: string): Promise<StoredObject | null>;
  /** Only ever later: S3 refuses to shorten a COMPLIANCE retention, for everyone. */
  extendLock(key: string, until: Date): Promise<void>;
  /** Keys in order, each with its object's etag. */
  list(prefix: string): Promise<ReadonlyMap<string, string>>;
}

export function bucketOf(client: S3Client, name: string): Bucket {
  const bucket: Bucket = {
    name,

    async write(key, bytes, mediaType, expect, lockUntil) {
      const input: PutObjectCommandInput = {
        Bucket: name,
        Key: key,
        Body: bytes,
        ContentLength: bytes.length,
        ContentType: mediaType,
        // The service checks what it received against this before it stores anything.
        ChecksumSHA256: createHash('sha256').update(bytes).digest('base64'),
        ...(expect === null ? { IfNoneMatch: '*' } : expect === 'any' ? {} : { IfMatch: expect }),
        ...(lockUntil ? { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: lockUntil } : {}),
      };
      try {
        await client.send(new PutObjectCommand(input));
        return true;
      } catch (error) {
        const refusal = refusalOf(error);
        const unmet = refusal === 'precondition' || (refusal === 'missing' && expect !== null && expect !== 'any');
        if (!unmet) throw unavailable(`write ${name}/${key}`, error);
        return wasRepeated(error) && same((await bucket.read(key))?.bytes, bytes);
      }
    },

    async read(key) {
      try {
        const answer = await client.send(new GetObjectCommand({ Bucket: name, Key: key }));
        const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
        return { bytes, etag: answer.ETag ?? '' };
      } catch (error) {
        if (refusalOf(error) === 'missing') return null;
        throw unavailable(`read ${name}/${key}`, error);
      }
    },

    async look(key) {
      try {
        const head = await client.send(new HeadObjectCommand({ Bucket: name, Key: key }));
        return { bytes: head.ContentLength ?? 0, retainUntil: head.ObjectLockRetainUntilDate ?? null };
      } catch (error) {
        if (refusalOf(error) === 'missing') return null;
        throw unavailable(`look up ${name}/${key}`, error);
      }
    },

    async extendLock(key, until) {
      const retention = { Mode: 'COMPLIANCE', RetainUntilDate: until } as const;
      try {
        await client.send(new PutObjectRetentionCommand({ Bucket: name, Key: key, Retention: retention }));
      } catch (error) {
        throw unavailable(`extend the retention of ${name}/${key}`, error);
      }
    },

    async list(prefix) {
      const found = new Map<string, string>();
      let token: string | undefined;
      try {
        do {
          const page = await client.send(
            new ListObjectsV2Command({ Bucket: name, Prefix: prefix, ContinuationToken: token }),
          );
          for (const { Key, ETag } of page.Contents ?? []) if (Key !== undefined) found.set(Key, ETag ?? '');
          token = page.IsTruncated ? page.NextContinuationToken : undefined;
        } while (token !== undefined);
      } catch (error) {
        throw unavailable(`list ${name}/${prefix}`, error);
      }
      return found;
    },
  };
  return bucket;
}

function same(found: Uint8Array | undefined, expected: Uint8Array): boolean {
  return found !== undefined && Buffer.compare(found, expected) === 0;
}
