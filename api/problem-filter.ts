import { Catch, HttpException, Inject, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  DecisionRefused,
  IncidentNotFound,
  RunNotFound,
  TemporalUnavailable,
  WorkerSilent,
} from '../clients/temporal/errors.ts';
import { Failure } from '../domain/incident/failure.ts';
import type { FailureCode } from '../domain/incident/failures.ts';
import { Problem, problemKindOf } from './problem.ts';
import { RouteTable } from './route-table.ts';

/** Seconds after which a sender may try again; senders of alerts repeat by themselves. */
const RETRY_AFTER = { 'retry-after': '5' };

const STATUS_OF_FAILURE: Partial<Record<FailureCode, 'unavailable' | 'not-found' | 'unknown-endpoint'>> = {
  'storage/unavailable': 'unavailable',
  'storage/not-found': 'not-found',
  'golden/missing': 'not-found',
  'endpoint/unknown': 'unknown-endpoint',
  'endpoint/unreachable': 'unavailable',
};

/** Every error of the API leaves it here, as a problem document. What is not known is logged whole and told as little. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('api');
  private readonly routes: RouteTable;
  constructor(@Inject(RouteTable) routes: RouteTable) {
    this.routes = routes;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = this.methodMatters(problemOf(error), request);
    if (problem.kind === 'unavailable') this.logger.warn(error instanceof Error ? error.message : problem.message);
    else if (problem.status >= 500) this.logger.error(error);
    // A stream that already started cannot become a problem document any more: the connection ends, and the client sees it incomplete.
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    const path = request.url.split('?', 1)[0] ?? '/';
    void reply
      .status(problem.status)
      .headers(problem.extras.headers ?? {})
      .header('content-type', 'application/problem+json')
      .send(Buffer.from(JSON.stringify(problem.document(path))));
  }

  /** The router answers 404 for a path that exists with other methods; HTTP asks for 405 and their list. */
  private methodMatters(problem: Problem, request: FastifyRequest): Problem {
    if (problem.kind !== 'not-found' || request.routeOptions.url !== undefined) return problem;
    const allowed = this.routes.methodsOf(request.url.split('?', 1)[0] ?? '/');
    if (allowed.length === 0) return problem;
    return new Problem('method-not-allowed', `Allowed here: ${allowed.join(', ')}.`, {
      headers: { allow: allowed.join(', ') },
    });
  }
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const options = { cause: error };
  if (error instanceof TemporalUnavailable) {
    return new Problem(
      'unavailable',
      'Temporal does not answer; nothing was accepted. Try again.',
      { headers: RETRY_AFTER },
      options,
    );
  }
  if (error instanceof WorkerSilent) {
    return new Problem(
      'unavailable',
      'No response worker answered in time. Try again.',
      { headers: RETRY_AFTER },
      options,
    );
  }
  if (error instanceof IncidentNotFound || error instanceof RunNotFound)
    return new Problem('not-found', `${error.message}.`, {}, options);
  if (error instanceof DecisionRefused) return new Problem('conflict', error.message, {}, options);
  if (error instanceof Failure) {
    const kind = STATUS_OF_FAILURE[error.code] ?? 'internal';
    const headers = kind === 'unavailable' ? RETRY_AFTER : {};
    return new Problem(kind, error.message, { code: error.code, headers }, options);
  }
  if (error instanceof HttpException) return ofStatus(error.getStatus(), error);
  if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number') {
    return ofStatus(error.statusCode, error);
  }
  return new Problem(
    'internal',
    'The request failed inside Lazaret; its log has the reason.',
    { code: 'internal/error' },
    options,
  );
}

const SENTENCES: Readonly<Record<number, string>> = {
  404: 'No resource has this path.',
  413: 'A body may have at most 256 KiB.',
  415: 'Send application/json.',
};

function ofStatus(status: number, cause: unknown): Problem {
  const kind = problemKindOf(status);
  if (kind === 'internal')
    return new Problem(
      'internal',
      'The request failed inside Lazaret; its log has the reason.',
      { code: 'internal/error' },
      { cause },
    );
  return new Problem(
    kind,
    SENTENCES[status] ?? 'The request could not be read as HTTP with a JSON body.',
    {},
    { cause },
  );
}
