import { z } from 'zod';
import type { Alert } from '../../domain/contracts/alert.ts';
import type { About } from '../../domain/incident/alert-mapping.ts';
import type { IncidentKind, Severity } from '../../domain/incident/kinds.ts';
import { mediaTypeOf, parsed, parseJson, requireMediaType } from '../body.ts';
import type { ApiDeps } from '../ports.ts';

/** A request to one of the doors, before its sender is known. */
export interface Delivery {
  /** A header by its lower-case name; undefined where it is absent. */
  readonly header: (name: string) => string | undefined;
  /** All of them; none is signed unless a source's proof says so. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it came over the wire: what signatures are about. */
  readonly raw: Buffer;
  readonly receivedAt: Date;
}

/** `id` is the sender's own id of the delivery, where its signature covers one. */
export type Verdict = { readonly ok: true; readonly id?: string } | { readonly ok: false; readonly why: string };

/** What one alert says, in the words of this house; which declared endpoints it means is found later. */
export interface Claim {
  /** The same for every repetition of one delivery, and taken from what the sender proved: a header that anyone may change is no id. */
  readonly id: string;
  readonly about: About;
  readonly kind: IncidentKind;
  readonly status: 'firing' | 'resolved';
  readonly severity: Severity | null;
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601 with an offset. */
  readonly startsAt: string;
  /** The alert as it came: it becomes evidence. */
  readonly body: string;
}

export interface Reading {
  readonly claims: readonly Claim[];
  /** Why an authentic delivery is no alert, such as a ping; there are no claims then. */
  readonly ignored?: string;
  /** When the sender says it happened, where the proof covers that and no other time; older than the source's window is stale. */
  readonly happenedAt?: string;
}

/** What the verification of a source may ask for. */
export type SourcePorts = Pick<ApiDeps, 'credentials' | 'sns'>;

/** One kind of sender: how it proves itself over the raw bytes, and what its payload says. */
export interface AlertSource {
  readonly name: Alert['source'];
  /** For OpenAPI: what is sent, and how the sender proves itself. */
  readonly summary: string;
  readonly proof: string;
  readonly schema: z.ZodType;
  /** What WWW-Authenticate says to a sender that is not known. */
  readonly challenge: string;
  /** How old, in seconds, `happenedAt` of a reading may be: as long as the sender repeats a delivery. */
  readonly windowSeconds?: number;
  verify(delivery: Delivery, ports: SourcePorts): Verdict | Promise<Verdict>;
  /** Called only after `verify` said yes. Throws a Problem that says what was expected. */
  read(delivery: Delivery, id: string | undefined, ports: SourcePorts): Reading | Promise<Reading>;
}

interface JsonSource<Schema extends z.ZodType> extends Omit<AlertSource, 'schema' | 'read'> {
  readonly schema: Schema;
  /** `application/json` where nothing else is said. */
  readonly mediaTypes?: readonly string[];
  claims(payload: z.output<Schema>, about: { readonly delivery: Delivery; readonly id: string | undefined }): Reading;
}

/** A source whose body is one JSON document. */
export function jsonSource<Schema extends z.ZodType>(source: JsonSource<Schema>): AlertSource {
  const { claims, mediaTypes = ['application/json'], ...rest } = source;
  return {
    ...rest,
    read(delivery, id) {
      requireMediaType(mediaTypeOf(delivery.header('content-type')), mediaTypes);
      return claims(parsed(parseJson(delivery.raw), source.schema, 'body'), { delivery, id });
    },
  };
}

/** Text that another system sends as a moment, which MUST carry its offset. */
export const moment = z.iso.datetime({ offset: true });
