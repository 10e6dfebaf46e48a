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
  requireMediaType(mediaTypeOf(request.headers['content-type']), ['application/json']);
  return parsed(parseJson(rawBodyOf(request)), schema, 'body');
}

/** The media type without its parameters, in lower case. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase();
}

/** Throws 415 for anything but one of `expected`. */
export function requireMediaType(mediaType: string | undefined, expected: readonly string[]): void {
  if (mediaType !== undefined && expected.includes(mediaType)) return;
  const given = mediaType ? JSON.stringify(mediaType.slice(0, 100)) : 'nothing';
  throw new Problem('wrong-media-type', `Send ${expected.join(' or ')}, not ${given}.`);
}

/** Throws 400 for bytes that are not JSON in UTF-8. */
export function parseJson(raw: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch (cause) {
    throw new Problem('malformed-request', 'The body is not JSON in UTF-8.', {}, { cause });
  }
}

/** The same for the query string. */
export function query<Schema extends z.ZodType>(request: FastifyRequest, schema: Schema): z.output<Schema> {
  return parsed(request.query, schema, 'query string');
}

/** Throws 400 that lists what was expected where; `what` names the thing that was read. */
export function parsed<Schema extends z.ZodType>(value: unknown, schema: Schema, what: string): z.output<Schema> {
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
