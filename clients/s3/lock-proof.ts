import { randomBytes } from 'node:crypto';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { connect, type S3Config } from './connection.ts';
import { unavailable } from './refusals.ts';

/** Long enough to be refused, short enough that proofs do not pile up. */
const LOCK_MS = 60_000;

/**
 * Is evidence really kept from everybody, these credentials included? Not by the bucket's word: a tiny object is locked for a minute and its
 * version deleted, which MUST fail. Returns why not; null where it holds. Throws `storage/unavailable` where S3 does not answer.
 */
export async function proveObjectLock(config: S3Config): Promise<string | null> {
  const client = connect(config);
  const object = { Bucket: config.evidenceBucket, Key: `doctor/${randomBytes(8).toString('hex')}` };
  try {
    const { VersionId } = await client.send(
      new PutObjectCommand({
        ...object,
        Body: 'lazaret doctor: this object proves Object Lock',
        ObjectLockMode: 'COMPLIANCE',
        ObjectLockRetainUntilDate: new Date(Date.now() + LOCK_MS),
      }),
    );
    if (!VersionId) return 'the bucket keeps no versions';
    return await client.send(new DeleteObjectCommand({ ...object, VersionId })).then(
      () => 'a locked object could be deleted',
      () => null,
    );
  } catch (error) {
    throw unavailable(`prove Object Lock on ${config.evidenceBucket}`, error);
  } finally {
    client.destroy();
  }
}
