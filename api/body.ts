import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Problem } from './problem.ts';

export const MAX_BODY_BYTES = 256 * 1024;

/** The body as it came over the wire: what signatures are about. */
export function rawBodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/** The one place where a JSON body becomes a typed value. Throws 415 or 400 that says what was expected where. */
export function jsonBody<Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): z.output<Schema> {
  const mediaType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') {
    throw new Problem(
      'wrong-media-type',
      `Send application/json, not ${mediaType ? JSON.stringify(mediaType.slice(0, 100)) : 'nothing'}.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBodyOf(request)));
  } catch (cause) {
    throw new Problem('malformed-request', 'The body is not JSON in UTF-8.', {}, { cause });
  }
  return parsed(value, schema, 'body');
}

/** The same for the query string. */
export function query<Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): z.output<Schema> {
  return parsed(request.query, schema, 'query string');
}

function parsed<Schema extends z.ZodType>(value: unknown, schema: Schema, what: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.slice(0, 20).map((issue) => ({
    path: issue.path.map(String).join('.').slice(0, 200),
    expected: issue.message.slice(0, 300),
  }));
  const first = errors[0];
  const detail = `The ${what} does not have the expected form${first ? `: ${first.path ? `${first.path}: ` : ''}${first.expected}` : ''}.`;
  throw new Problem('malformed-request', detail, { errors });
}
