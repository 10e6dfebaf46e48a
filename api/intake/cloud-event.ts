import { z } from 'zod';
import { mediaTypeOf, parsed, parseJson, requireMediaType } from '../body.ts';
import { Problem } from '../problem.ts';
import { moment, type Delivery } from './source.ts';

/** A CloudEvent 1.0 whose data is JSON: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export interface CloudEvent {
  readonly mode: 'binary' | 'structured' | 'batched';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly time: string | undefined;
  readonly data: unknown;
  /** Other attributes, with their values as text. */
  readonly extensions: Readonly<Record<string, string>>;
}

const STRUCTURED = 'application/cloudevents+json';
const BATCHED = 'application/cloudevents-batch+json';
const BINARY = 'application/json';
const MAX_BATCH = 100;

const attributes = {
  specversion: z.literal('1.0', { error: 'expected "1.0", the version of the specification' }),
  id: z.string().min(1).max(200),
  source: z.string().min(1).max(500),
  type: z.string().min(1).max(200),
  subject: z.string().max(500).nullish(),
  time: moment.nullish(),
};

/** The structured form, as OpenAPI shows it. `data_base64` is for data that is not JSON; there is nothing to read in such an event. */
export const cloudEventSchema = z.looseObject({
  ...attributes,
  datacontenttype: z
    .string()
    .regex(/^application\/(?:[\w.-]+\+)?json\b/i, 'expected JSON')
    .nullish(),
  data: z.unknown().refine((data) => data !== undefined && data !== null, 'expected data as JSON'),
});

/**
 * Reads the events of a delivery in the HTTP binding's three modes, told apart by the media type:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 * `drafts` are older versions that are taken in binary mode too, whose headers are the same.
 */
export function cloudEventsOf(delivery: Delivery, drafts: readonly string[] = []): readonly CloudEvent[] {
  const mediaType = mediaTypeOf(delivery.header('content-type'));
  requireMediaType(mediaType, [STRUCTURED, BATCHED, BINARY]);
  const body = parseJson(delivery.raw);
  if (mediaType === STRUCTURED) return [structured(parsed(body, cloudEventSchema, 'event'), 'structured')];
  if (mediaType === BATCHED) {
    const batch = parsed(body, z.array(cloudEventSchema).min(1).max(MAX_BATCH), 'batch');
    return batch.map((event) => structured(event, 'batched'));
  }
  return [binary(delivery, body, drafts)];
}

const KNOWN = new Set([...Object.keys(attributes), 'datacontenttype', 'dataschema', 'data', 'data_base64']);

function structured(event: z.output<typeof cloudEventSchema>, mode: 'structured' | 'batched'): CloudEvent {
  const { id, source, type, subject, time, data } = event;
  const rest = Object.entries(event).filter(([name]) => !KNOWN.has(name));
  const extensions = Object.fromEntries(
    rest.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
  return { mode, id, source, type, subject: subject ?? undefined, time: time ?? undefined, data, extensions };
}

/** Attributes are headers `ce-<name>`, percent-encoded; the body is the data. */
function binary(delivery: Delivery, data: unknown, drafts: readonly string[]): CloudEvent {
  const given = (name: string): string | undefined => {
    const value = decoded(delivery.header(`ce-${name}`));
    return name === 'specversion' && drafts.includes(value ?? '') ? '1.0' : value;
  };
  const names = Object.keys(attributes);
  const event = parsed(
    Object.fromEntries(names.map((name) => [name, given(name)])),
    z.object(attributes),
    'set of ce- headers',
  );
  const extensions = Object.fromEntries(
    EXTENSIONS.flatMap((name) => {
      const value = given(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const { id, source, type, subject, time } = event;
  return { mode: 'binary', id, source, type, subject: subject ?? undefined, time: time ?? undefined, data, extensions };
}

/** Extension attributes of KServe's and Seldon's loggers and detectors. */
const EXTENSIONS = ['inferenceservicename', 'namespace', 'endpoint', 'component', 'requestid', 'modelid'] as const;

function decoded(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new Problem('malformed-request', 'A ce- header is not percent-encoded UTF-8.', {}, { cause });
  }
}
