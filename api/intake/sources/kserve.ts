import { z } from 'zod';
import { parsed, parseJson } from '../../body.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import type { IncidentKind } from '../../../domain/incident/kinds.ts';
import { cloudEventSchema, cloudEventsOf, type CloudEvent } from '../cloud-event.ts';
import { verifySharedSecret } from '../proofs.ts';
import type { AlertSource, Claim, Delivery, Reading } from '../source.ts';

const flags = z.union([z.number(), z.boolean()]).transform(Number);

/** Older servers of Alibi Detect speak 0.2, Seldon's MLServer 0.3. */
const DRAFTS = ['0.2', '0.3'];

/** What Alibi Detect answers: `data` of a detector, https://docs.seldon.ai/alibi-detect */
const answerSchema = z.object({
  data: z.object({
    is_drift: z.union([flags, z.array(flags)]).nullish(),
    is_outlier: z.union([flags, z.array(flags)]).nullish(),
    is_adversarial: z.union([flags, z.array(flags)]).nullish(),
    p_val: z.unknown().optional(),
    distance: z.unknown().optional(),
    threshold: z.unknown().optional(),
  }),
  meta: z
    .object({ name: z.string().max(200) })
    .partial()
    .optional(),
});

/** Requests and answers that a logger passes on: they are traffic and no alert. */
const PAYLOAD =
  /^(?:org\.kubeflow|io\.seldon|com\.seldon|io\.kserve)\.serving\.(?:inference|feedback)(?:\.(?:request|response))?$/;

const KINDS = [
  ['is_adversarial', 'evasion', 'adversarial inputs'],
  ['is_drift', 'drift', 'drift'],
  ['is_outlier', 'drift', 'outliers'],
] as const satisfies readonly (readonly [string, IncidentKind, string])[];

function claimOf(event: CloudEvent, delivery: Delivery): Claim | null {
  const { data, meta } = parsed(unwrapped(event.data), answerSchema, `answer of the detector in event ${event.id}`);
  const asked = KINDS.filter(([flag]) => data[flag] !== undefined && data[flag] !== null);
  const found = asked.find(([flag]) => [data[flag]].flat().some((value) => value === 1));
  const [, kind, what] = found ?? asked[0] ?? [];
  if (kind === undefined || what === undefined) return null;
  const { inferenceservicename: service = '', namespace = '', modelid = '' } = event.extensions;
  const detector = meta?.name ?? 'A detector';
  return {
    id: digestOf(JSON.stringify([event.source, event.id])),
    about: {
      names: [namespace && service ? `${namespace}/${service}` : '', service, modelid].filter((name) => name !== ''),
    },
    kind,
    status: found ? 'firing' : 'resolved',
    severity: null,
    title: found ? `${detector} found ${what}` : `${detector} found no ${what}`,
    labels: { service, namespace, detector, 'ce-type': event.type, 'ce-source': event.source, 'ce-id': event.id },
    startsAt: event.time ?? delivery.receivedAt.toISOString(),
    body: JSON.stringify({ type: event.type, service, namespace, data: event.data }),
  };
}

/** Alibi Detect's server writes its answer as JSON, and that text as JSON again: components/alibi-detect-server/adserver/server.py of Seldon Core. */
function unwrapped(data: unknown): unknown {
  return typeof data === 'string' ? parseJson(Buffer.from(data)) : data;
}

function readEvents(delivery: Delivery): Reading {
  const events = cloudEventsOf(delivery, DRAFTS).filter(({ type }) => !PAYLOAD.test(type));
  const claims = events.flatMap((event) => claimOf(event, delivery) ?? []);
  const ignored =
    events.length === 0 ? 'Requests and answers of a logger are no alert.' : 'The detector decided nothing.';
  return claims.length > 0 ? { claims } : { claims, ignored };
}

/**
 * Detectors beside an InferenceService or a SeldonDeployment (Alibi Detect's server) send their answers as CloudEvents to their `--reply_url`, and
 * sign nothing; a user and a password in that address become Basic credentials. Over TLS only.
 */
export const kserve: AlertSource = {
  name: 'kserve',
  summary: "Answers of Alibi Detect's drift, outlier and adversarial detectors beside KServe or Seldon, as CloudEvents",
  proof: 'Authorization: Basic with the shared credential as the password, or Bearer with it.',
  challenge: 'Basic realm="lazaret alerts"',
  schema: cloudEventSchema.extend({ data: answerSchema }),
  verify: (delivery, { credentials }) => verifySharedSecret(delivery, credentials.kserve),
  read: (delivery) => readEvents(delivery),
};
