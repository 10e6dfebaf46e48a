import { isGrpcDeadlineError, isGrpcServiceError, ServiceError, WorkflowNotFoundError } from '@temporalio/client';

/** Temporal did not answer or refused the connection; trying again later may help. */
export class TemporalUnavailable extends Error {
  constructor(options?: { cause?: unknown }) {
    super('Temporal does not answer', options);
    this.name = 'TemporalUnavailable';
  }
}

/** Temporal answered, but no response worker took the query or update in time. */
export class WorkerSilent extends Error {
  constructor(options?: { cause?: unknown }) {
    super('no response worker answered in time', options);
    this.name = 'WorkerSilent';
  }
}

export class IncidentNotFound extends Error {
  constructor(incident: string, options?: { cause?: unknown }) {
    super(`there is no incident ${JSON.stringify(incident.slice(0, 100))}`, options);
    this.name = 'IncidentNotFound';
  }
}

/** The workflow refused a decision; the message is its own sentence. */
export class DecisionRefused extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'DecisionRefused';
  }
}

/** The run ended without a result; the message is its own. */
export class RunFailed extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'RunFailed';
  }
}

/** No run of that name was ever started. */
export class RunNotFound extends Error {
  constructor(what: string) {
    super(`there is no ${what}`);
    this.name = 'RunNotFound';
  }
}

/** gRPC codes that say "not now" rather than "not so": UNAVAILABLE, RESOURCE_EXHAUSTED, CANCELLED, and a spent deadline. */
const PASSING = new Set([14, 8, 1]);

/**
 * Calls Temporal and names what went wrong. `silent` says what a spent deadline means: a call that only the server answers finds the server
 * away, one that a worker answers finds the worker away.
 */
export async function named<T>(call: () => Promise<T>, silent: 'server' | 'worker' = 'server'): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const deep = error instanceof ServiceError ? error.cause : error;
    if (isGrpcDeadlineError(deep)) {
      throw silent === 'worker' ? new WorkerSilent({ cause: error }) : new TemporalUnavailable({ cause: error });
    }
    if (isGrpcServiceError(deep) && PASSING.has(deep.code)) throw new TemporalUnavailable({ cause: error });
    throw error;
  }
}

export function isNotFound(error: unknown): boolean {
  const deep = error instanceof ServiceError ? error.cause : error;
  return error instanceof WorkflowNotFoundError || (isGrpcServiceError(deep) && deep.code === 5);
}
