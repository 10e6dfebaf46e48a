import { Failure } from '../../domain/incident/failure.ts';
import type { FailureCode } from '../../domain/incident/failures.ts';
import { ModelRefused } from '../model/loader.ts';
import { OrderRefused } from '../../evidence/orders/stance-order.ts';

/** A problem document (RFC 9457) of the admin surface; `code` is of the failure catalogue. */
export interface AdminProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code?: FailureCode;
}

/** Thrown where the admin surface itself refuses. */
export class AdminRefused extends Error {
  readonly status: 400 | 401 | 404;
  readonly code: FailureCode | undefined;
  constructor(status: AdminRefused['status'], message: string, code?: FailureCode) {
    super(message);
    this.name = 'AdminRefused';
    this.status = status;
    this.code = code;
  }
}

/** 422: the order is understood and not obeyed, and the stance before it holds. 503: the same order may succeed later. */
export function adminProblemOf(error: unknown): AdminProblem {
  if (error instanceof OrderRefused || error instanceof ModelRefused)
    return problem(422, 'The order is refused', error.message, 'endpoint/refused');
  if (error instanceof AdminRefused) return problem(error.status, 'The call is refused', error.message, error.code);
  if (error instanceof Failure)
    return problem(error.retryable ? 503 : 500, 'The order could not be carried out', error.message, error.code);
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : 500;
  if (status < 500) return problem(status, 'The call is refused', error instanceof Error ? error.message : 'refused');
  return problem(500, 'Something failed that should not have', 'See the log of the gateway.', 'internal/error');
}

function problem(status: number, title: string, detail: string, code?: FailureCode): AdminProblem {
  const slug = code ? code.replace('/', '-') : String(status);
  return { type: `urn:lazaret:problem:${slug}`, title, status, detail, ...(code ? { code } : {}) };
}
