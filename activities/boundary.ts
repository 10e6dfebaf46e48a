import { activityInfo, ApplicationFailure, heartbeat } from '@temporalio/activity';
import type { OnTheWire } from '../domain/contracts/activities.ts';
import { Failure } from '../domain/incident/failure.ts';

type Activities = Record<string, (input: never) => Promise<unknown>>;

/**
 * Turns activities into what Temporal carries. Answers are stamped with the worker's clock. What is thrown gets a name: a Failure becomes an
 * ApplicationFailure whose type is its code and whose retryability is the catalogue's; anything else is a bug (`internal/error`), told at
 * once and not retried for minutes.
 */
export function onTheWire<Ports extends object>(ports: Ports, now: () => Date): OnTheWire<Ports> {
  const wired: Activities = {};
  for (const [name, act] of Object.entries(ports as Activities)) {
    wired[name] = async (input) => {
      // Without a beat, a step of a killed worker would be waited for until its whole time is over. In tests there is no context to beat in.
      const pulse = setInterval(() => inContext() && heartbeat(), BEAT_MS);
      try {
        const value = await act(input);
        return { value, at: now().toISOString() };
      } catch (error) {
        throw toApplicationFailure(error);
      } finally {
        clearInterval(pulse);
      }
    };
  }
  return wired as OnTheWire<Ports>;
}

const BEAT_MS = 1_000;

function inContext(): boolean {
  try {
    activityInfo();
    return true;
  } catch {
    return false;
  }
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
