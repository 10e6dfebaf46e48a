import { ApplicationFailure } from '@temporalio/activity';
import { Failure } from '../domain/incident/failure.ts';

type Activities = Record<string, (input: never) => Promise<unknown>>;

/**
 * Turns what activities throw into what Temporal keeps: a Failure becomes an ApplicationFailure whose type is its code and whose
 * retryability is the catalogue's. Anything else is a bug (`internal/error`): told at once, not retried for minutes.
 */
export function withFailureCodes<T extends object>(activities: T): T {
  const wrapped: Activities = {};
  for (const [name, act] of Object.entries(activities as Activities)) {
    wrapped[name] = async (input) => {
      try {
        return await act(input);
      } catch (error) {
        throw toApplicationFailure(error);
      }
    };
  }
  return wrapped as T;
}

function toApplicationFailure(error: unknown): Error {
  if (error instanceof Failure) {
    return ApplicationFailure.create({
      message: error.message,
      type: error.code,
      nonRetryable: !error.retryable,
      cause: error,
    });
  }
  // Cancellation and Temporal's own failures pass through unchanged.
  if (error instanceof Error && error.name !== 'Error' && 'failure' in error) return error;
  if (error instanceof Error && error.name === 'CancelledFailure') return error;
  if (error instanceof ApplicationFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return ApplicationFailure.create({
    message,
    type: 'internal/error',
    nonRetryable: true,
    cause: error instanceof Error ? error : undefined,
  });
}
