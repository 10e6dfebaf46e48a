import {
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  type BucketLocationConstraint,
  GetObjectLockConfigurationCommand,
  PutBucketVersioningCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Failure } from '../../domain/incident/failure.ts';
import { connect, type S3Config } from './connection.ts';
import { unavailable } from './refusals.ts';

/**
 * Creates what the station needs, or checks that it is there: the evidence bucket with Object Lock (which S3 can only switch on at creation)
 * and the artifacts bucket with versioning. Safe to repeat.
 */
export async function prepareBuckets(config: S3Config): Promise<void> {
  const client = connect(config);
  try {
    await create(client, config, config.evidenceBucket, true);
    await demandObjectLock(client, config.evidenceBucket);
    await create(client, config, config.artifactsBucket, false);
    await client.send(
      new PutBucketVersioningCommand({
        Bucket: config.artifactsBucket,
        VersioningConfiguration: { Status: 'Enabled' },
      }),
    );
  } catch (error) {
    throw unavailable('prepare the buckets', error);
  } finally {
    client.destroy();
  }
}

/** The one region whose name CreateBucket refuses as a location constraint. */
const HOME_REGION = 'us-east-1';

async function create(client: S3Client, config: S3Config, bucket: string, lock: boolean): Promise<void> {
  try {
    await client.send(
      new CreateBucketCommand({
        Bucket: bucket,
        ...(lock ? { ObjectLockEnabledForBucket: true } : {}),
        ...(config.region === HOME_REGION
          ? {}
          : { CreateBucketConfiguration: { LocationConstraint: config.region as BucketLocationConstraint } }),
      }),
    );
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw unavailable(`create the bucket ${bucket}`, error);
  }
}

/** MUST hold before any evidence is written: without Object Lock whoever holds the credentials could remove it. */
async function demandObjectLock(client: S3Client, bucket: string): Promise<void> {
  const answer = await client
    .send(new GetObjectLockConfigurationCommand({ Bucket: bucket }))
    .catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ObjectLockConfigurationNotFoundError') return null;
      throw unavailable(`read the Object Lock configuration of ${bucket}`, error);
    });
  if (answer?.ObjectLockConfiguration?.ObjectLockEnabled !== 'Enabled') {
    throw new Failure(
      'storage/unavailable',
      `The bucket ${bucket} exists without Object Lock, so it cannot hold evidence: name another one, or let Lazaret create it.`,
    );
  }
}
