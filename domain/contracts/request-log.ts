import { z } from 'zod';
import { endpointNameSchema } from './alert.ts';
import { digestSchema } from './object-ref.ts';

/**
 * The request log: every inference accounted for. Segments are gzip over NDJSON, the first line a header, each line after it one of the two
 * kinds. In S3 under `requests/<endpoint>/<day>/<from>-<replica>-<seq>.ndjson.gz`, times in UTC, so that a listing finds a time.
 */
export const logHeaderSchema = z.object({
  schema: z.literal('lazaret.request-log/v1'),
  endpoint: endpointNameSchema,
  replica: z.string(),
  /** Segments of one start of a replica are numbered from 0, and each names the digest of the one before it. */
  seq: z.number().int().nonnegative(),
  previous: digestSchema.nullable(),
  from: z.iso.datetime({ offset: true }),
  /** Lines that were not kept since the replica started, because disk or memory were full: a segment that goes takes its header along. */
  lost: z.number().int().nonnegative(),
});
export type LogHeader = z.infer<typeof logHeaderSchema>;

const payloadSchema = z.object({
  inputs: z.array(z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()), raw: z.string() })),
  scores: z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()), raw: z.string() }),
});

/** One answered inference. */
export const loggedInferenceSchema = z.object({
  at: z.iso.datetime({ offset: true }),
  id: z.string(),
  client: z.string(),
  address: z.string(),
  /** Digest of the model that answered; null for rules. */
  model: digestSchema.nullable(),
  stance: z.string(),
  arm: z.string(),
  /** SHA-256 over the bytes of the inputs (OIP's binary tensor data, in the order of the model's signature). */
  input: digestSchema,
  rows: z.number().int().nonnegative(),
  /** Winning class and its probability of each row, 16 at most. */
  top: z.array(z.tuple([z.number().int(), z.number()])).max(16),
  latencyUs: z.number().nonnegative(),
  /** Of a sample, by the gateway's policy. */
  payload: payloadSchema.optional(),
});
export type LoggedInference = z.infer<typeof loggedInferenceSchema>;

/** What was not answered, counted: a flood of refusals must not become a flood of lines. */
export const loggedRefusalsSchema = z.object({
  at: z.iso.datetime({ offset: true }),
  /** HTTP status, how often since the line before. */
  refused: z.record(z.string(), z.number().int().positive()),
});
export type LoggedRefusals = z.infer<typeof loggedRefusalsSchema>;

/** The prefix of one day's segments; `day` as 2026-11-21. */
export function logPrefix(endpoint: string, day: string): string {
  return `requests/${endpoint}/${day}/`;
}

/** `from` is the time of the segment's first line. */
export function logKey(about: Pick<LogHeader, 'endpoint' | 'replica' | 'seq'> & { from: string }): string {
  const time = about.from.replace(/[:.]/g, '');
  const seq = String(about.seq).padStart(8, '0');
  return `${logPrefix(about.endpoint, about.from.slice(0, 10))}${time}-${about.replica.slice(0, 8)}-${seq}.ndjson.gz`;
}
