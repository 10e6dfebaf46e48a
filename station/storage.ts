import { prepareBuckets } from '../clients/s3/buckets.ts';
import type { S3Config } from '../clients/s3/connection.ts';
import type { RunningStation } from './describe.ts';

/** A year, as the processes have it where nothing else is said. */
const RETENTION_DAYS = 365;

export function storageConfig(s3: RunningStation['s3']): S3Config {
  return {
    ...s3,
    retentionDays: Number(process.env['LAZARET_S3_RETENTION_DAYS'] ?? RETENTION_DAYS),
    forcePathStyle: true,
  };
}

/** Both buckets, the evidence one with Object Lock. Idempotent. */
export async function prepareStorage(s3: RunningStation['s3']): Promise<void> {
  await prepareBuckets(storageConfig(s3));
}
