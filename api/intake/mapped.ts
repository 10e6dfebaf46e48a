import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { compileMapping, MappingError } from '../../clients/mapping/mapping.ts';
import type { MappedProof, MappedSource } from '../../domain/contracts/intake.ts';
import { kindOf, severityOf } from '../../domain/incident/alert-mapping.ts';
import { mediaTypeOf, parseJson } from '../body.ts';
import { Problem } from '../problem.ts';
import { isAmong, NOT_CONFIGURED, staleness, verifySharedSecret } from './proofs.ts';
import { moment, type AlertSource, type Delivery, type Verdict } from './source.ts';
import { TOLERANCE_SECONDS, verifySigned } from './standard-webhooks.ts';

type HmacProof = Extract<MappedProof, { scheme: 'hmac-sha256' }>;

/** HMAC-SHA256 of the body, or of `timestamp<separator>body`, as the source's `proof` describes it. */
function verifyHmac(delivery: Delivery, proof: HmacProof, secret: string | null | undefined): Verdict {
  if (!secret) return NOT_CONFIGURED;
  const signature = delivery.header(proof.header);
  const timestamp = proof.timestamp && delivery.header(proof.timestamp.header);
  if (signature === undefined || (proof.timestamp && timestamp === undefined)) {
    return { ok: false, why: `Send ${[proof.header, proof.timestamp?.header].filter(Boolean).join(' and ')}.` };
  }
  if (timestamp !== undefined && !/^[1-9]\d{8,13}$/.test(timestamp)) {
    return { ok: false, why: 'The timestamp is malformed.' };
  }
  const hmac = createHmac('sha256', secret);
  if (proof.timestamp) hmac.update(`${timestamp}${proof.timestamp.separator}`);
  const expected = `${proof.prefix}${hmac.update(delivery.raw).digest(proof.encoding)}`;
  if (!isAmong([signature], expected)) return { ok: false, why: 'The signature does not match.' };
  if (timestamp === undefined) return { ok: true };
  // Thirteen digits are milliseconds until the year 2286.
  const seconds = Number(timestamp) / (timestamp.length >= 13 ? 1000 : 1);
  const stale = staleness(seconds, delivery.receivedAt.getTime(), TOLERANCE_SECONDS);
  return stale === null ? { ok: true } : { ok: false, why: stale };
}

const VERIFIERS = {
  bearer: (delivery: Delivery, _: MappedProof, secret: string | null | undefined) =>
    verifySharedSecret(delivery, secret),
  'standard-webhooks': (delivery: Delivery, _: MappedProof, secret: string | null | undefined) =>
    verifySigned(delivery, secret),
} as const;

/** Headers that an expression may read: none that holds a credential. */
const WITHHELD: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie']);

/** A source that `intake.sources` of lazaret.yaml describes: a proof, and CEL expressions for what its payload says. */
export function mappedSource(name: string, source: MappedSource): AlertSource {
  const map = compileMapping(source);
  return {
    name: 'mapped',
    summary: `Alerts of ${name}, as lazaret.yaml maps them`,
    proof: source.proof.scheme,
    challenge: source.proof.scheme === 'bearer' ? 'Bearer realm="lazaret alerts"' : 'Signature',
    schema: z.json(),
    verify(delivery, { credentials }) {
      const secret = credentials.mapped?.[name];
      const { proof } = source;
      return proof.scheme === 'hmac-sha256'
        ? verifyHmac(delivery, proof, secret)
        : VERIFIERS[proof.scheme](delivery, proof, secret);
    },
    read(delivery) {
      const mediaType = mediaTypeOf(delivery.header('content-type')) ?? '';
      if (mediaType !== 'application/json' && !mediaType.endsWith('+json')) {
        throw new Problem('wrong-media-type', 'Send application/json.');
      }
      const body = parseJson(delivery.raw);
      const headers = Object.fromEntries(Object.entries(delivery.headers).filter(([one]) => !WITHHELD.has(one)));
      try {
        const mapped = map({ body, headers });
        if (mapped === null) return { claims: [], ignored: `What lazaret.yaml takes from ${name} is not in it.` };
        const { id, endpoint, title, kind, severity = '', startsAt } = mapped;
        return {
          claims: [
            {
              id: `${name}:${required('id', id)}`,
              about: { names: [endpoint] },
              kind: kindOf({ ...(kind === undefined ? {} : { kind }), alertname: kind ?? title }),
              status: statusOf(mapped.status),
              severity: severityOf({ severity }),
              title: required('title', title),
              labels: { sender: name, endpoint, kind: kind ?? '', severity },
              startsAt: startsAt === undefined ? delivery.receivedAt.toISOString() : momentOf(startsAt),
              body: delivery.raw.toString('utf8'),
            },
          ],
        };
      } catch (error) {
        if (error instanceof MappingError) throw refused(error.field, error.message);
        throw error;
      }
    },
  };
}

function refused(field: string, expected: string): Problem {
  const detail = `The body does not have the form that lazaret.yaml expects: ${field}: ${expected}.`;
  return new Problem('malformed-request', detail, { errors: [{ path: field, expected }] });
}

function required(field: string, text: string): string {
  if (text.trim() === '') throw refused(field, 'expected a text that is not empty');
  return text;
}

function statusOf(text = 'firing'): 'firing' | 'resolved' {
  if (text === 'firing' || text === 'resolved') return text;
  throw refused('status', 'expected "firing" or "resolved"');
}

function momentOf(text: string): string {
  const read = moment.safeParse(text);
  if (!read.success) throw refused('startsAt', 'expected ISO 8601 with an offset');
  return read.data;
}
