import { S3Client } from '@aws-sdk/client-s3';

export interface S3Config {
  /** URL of the S3 service, e.g. `http://127.0.0.1:9000`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly evidenceBucket: string;
  readonly artifactsBucket: string;
  /** How long every evidence object stays locked, counted from its last use as evidence. */
  readonly retentionDays: number;
  /** Bucket in the path instead of the host name: what gateways and self-hosted services want. */
  readonly forcePathStyle: boolean;
}

/** A service that is there accepts a connection at once; one that is away must not hold up a phase. */
const CONNECT_TIMEOUT_MS = 1_000;
/** From the request to the head of the answer. */
const REQUEST_TIMEOUT_MS = 15_000;
/** Silence in the middle of a body: bytes that stopped flowing do not start again. */
const IDLE_TIMEOUT_MS = 15_000;
/** One repetition for a connection that was closed under the request; longer outages are Temporal's to wait out. */
const ATTEMPTS = 2;
const MAX_SOCKETS = 64;

export function connect(config: S3Config): S3Client {
  return new S3Client({
    endpoint: config.endpoint,
    region: config.region,
    forcePathStyle: config.forcePathStyle,
    credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey },
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
  });
}
