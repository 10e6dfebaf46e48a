import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSigner } from '../evidence/keys/signer.ts';
import { S3_BUCKETS, readCredentials, type Credentials } from './credentials.ts';
import { KEYRING, PEOPLE, keyFile, type KeyName } from './identities.ts';
import { stationPaths, type StationPaths } from './paths.ts';
import { runningRecord, type StationRecord } from './record.ts';

/** Everything a drill, a test or the CLI may know about a station of this machine. Secrets are read when asked for. */
export interface RunningStation {
  readonly paths: StationPaths;
  readonly urls: StationRecord['urls'];
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly s3: {
    readonly endpoint: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly evidenceBucket: string;
    readonly artifactsBucket: string;
  };
  readonly credentials: Credentials;
  /** PEM files of the machines' private keys. */
  readonly keys: Readonly<Record<KeyName, { readonly kid: string; readonly file: string }>>;
  readonly people: readonly {
    readonly id: string;
    readonly name: string;
    readonly roles: readonly string[];
    readonly kid: string;
    readonly keyFile: string;
    readonly token: string;
  }[];
}

/** The station that runs in this home; null where none does. */
export function describeRunning(home?: string): RunningStation | null {
  const paths = stationPaths(home);
  const record = runningRecord(paths.record);
  return record?.ready ? describeFrom(paths, record.urls) : null;
}

export function describeFrom(paths: StationPaths, urls: StationRecord['urls']): RunningStation {
  const credentials = readCredentials(paths.credentials);
  const keys = Object.fromEntries(
    KEYRING.map((entry) => [entry.name, { kid: keyId(keyFile(paths, entry)), file: keyFile(paths, entry) }]),
  ) as Record<KeyName, { kid: string; file: string }>;
  return {
    paths,
    urls,
    temporal: { address: urls.temporal, namespace: process.env['LAZARET_TEMPORAL_NAMESPACE'] ?? 'default' },
    s3: {
      endpoint: urls.s3,
      region: process.env['LAZARET_S3_REGION'] ?? 'us-east-1',
      accessKeyId: credentials.s3AccessKeyId,
      secretAccessKey: credentials.s3SecretAccessKey,
      evidenceBucket: process.env['LAZARET_S3_EVIDENCE_BUCKET'] ?? S3_BUCKETS.evidence,
      artifactsBucket: process.env['LAZARET_S3_ARTIFACTS_BUCKET'] ?? S3_BUCKETS.artifacts,
    },
    credentials,
    keys,
    people: PEOPLE.map(({ id, name, roles }) => ({
      id,
      name,
      roles,
      kid: keyId(join(paths.people, id, 'key.pem')),
      keyFile: join(paths.people, id, 'key.pem'),
      token: readFileSync(join(paths.people, id, 'token'), 'utf8').trim(),
    })),
  };
}

function keyId(file: string): string {
  return createSigner({ name: file, privatePem: readFileSync(file, 'utf8') }).kid;
}
