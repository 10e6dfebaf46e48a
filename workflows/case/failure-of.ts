import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import { isFailureCode, type FailureCode } from '../../domain/incident/failures.ts';

export interface NamedFailure {
  readonly code: FailureCode;
  readonly message: string;
}

/** Finds the catalogue's code in whatever an activity or child workflow threw. */
export function failureOf(error: unknown): NamedFailure {
  let timeout: TimeoutFailure | null = null;
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type) {
      if (isFailureCode(cause.type)) return { code: cause.type, message: cause.message };
      if (cause.type.startsWith('trainer/'))
        return { code: 'trainer/failed', message: `${cause.type}: ${cause.message}` };
    }
    if (cause instanceof TimeoutFailure) timeout = cause;
    if (
      !(cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) &&
      !(cause.cause instanceof Error)
    ) {
      return timeout ? ofTimeout(timeout) : { code: 'internal/error', message: cause.message };
    }
  }
  return timeout ? ofTimeout(timeout) : { code: 'internal/error', message: String(error) };
}

function ofTimeout(timeout: TimeoutFailure): NamedFailure {
  return timeout.timeoutType === 'SCHEDULE_TO_START'
    ? { code: 'trainer/absent', message: 'no worker took the job within the time allowed' }
    : { code: 'internal/error', message: `a step ran out of time (${timeout.timeoutType})` };
}
