import { S3ServiceException } from '@aws-sdk/client-s3';
import { Failure } from '../../domain/incident/failure.ts';

/** What S3 says no with, as far as the store acts on it. Everything else is an outage. */
export type Refusal = 'missing' | 'no-bucket' | 'precondition' | 'other';

export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof S3ServiceException)) return 'other';
  if (error.name === 'NoSuchBucket') return 'no-bucket';
  // HEAD has no body, so the service's own name of the error is lost and only the status is left.
  if (error.$metadata.httpStatusCode === 404) return 'missing';
  return error.$metadata.httpStatusCode === 412 ? 'precondition' : 'other';
}

/** Was the request sent more than once? Then a refusal may be the echo of a first attempt that succeeded. */
export function wasRepeated(error: unknown): boolean {
  return error instanceof S3ServiceException && (error.$metadata.attempts ?? 1) > 1;
}

/** Any refusal the store has no better word for: retryable, because bringing S3 (or its credentials, or its bucket) back mends it. */
export function unavailable(doing: string, error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('storage/unavailable', `S3 could not ${doing}: ${reasonOf(error)}`, { cause: error });
}

function reasonOf(error: unknown): string {
  if (error instanceof S3ServiceException) {
    if (error.name === 'NoSuchBucket') return 'the bucket does not exist';
    const status = error.$metadata.httpStatusCode;
    if (status === 403) return 'it refused the credentials (403)';
    return `it answered ${status ?? 'nothing'} ${error.name}`;
  }
  // Node gives an AggregateError with an empty message when every address of a host refuses.
  if (error instanceof Error) return error.message || ('code' in error ? String(error.code) : error.name);
  return 'an unknown error';
}
