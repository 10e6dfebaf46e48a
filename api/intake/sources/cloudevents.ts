import { z } from 'zod';
import { aboutOf, kindOf } from '../../../domain/incident/alert-mapping.ts';
import { INCIDENT_KINDS, SEVERITIES } from '../../../domain/incident/kinds.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { parsed } from '../../body.ts';
import { cloudEventSchema, cloudEventsOf, type CloudEvent } from '../cloud-event.ts';
import { moment, type AlertSource, type Claim, type Delivery } from '../source.ts';
import { verifySigned } from '../standard-webhooks.ts';

/** The data of an event: what the alert says. `endpoint` or `model` MUST be in it, because the signature covers the data in every mode. */
const dataSchema = z.object({
  endpoint: z.string().max(200).optional(),
  model: z.string().max(200).optional(),
  kind: z.enum(INCIDENT_KINDS).optional(),
  severity: z.enum(SEVERITIES).nullish(),
  status: z.enum(['firing', 'resolved']).default('firing'),
  title: z.string().min(1).max(500).optional(),
  labels: z.record(z.string().max(200), z.string().max(2000)).default({}),
  startsAt: moment.optional(),
});

/**
 * In binary mode the attributes are headers, which the signature does not cover: there they decide nothing, not even what is a repetition.
 * The other modes have them in the signed body, where `source` and `id` name the event by the specification.
 */
function claimOf(event: CloudEvent, delivery: Delivery, webhookId: string): Claim {
  const data = parsed(event.data, dataSchema, `data of event ${JSON.stringify(event.id.slice(0, 100))}`);
  const isSigned = event.mode !== 'binary';
  return {
    id: isSigned ? digestOf(JSON.stringify([event.source, event.id])) : webhookId,
    about: aboutOf({
      ...(data.endpoint === undefined ? {} : { endpoint: data.endpoint }),
      ...(data.model === undefined ? {} : { model: data.model }),
    }),
    kind: data.kind ?? kindOf({ alertname: isSigned ? event.type : '' }),
    status: data.status,
    severity: data.severity ?? null,
    title: data.title ?? `An event of type ${event.type}`,
    labels: { ...data.labels, 'ce-type': event.type, 'ce-source': event.source, 'ce-id': event.id },
    startsAt: data.startsAt ?? (isSigned ? event.time : undefined) ?? delivery.receivedAt.toISOString(),
    body: isSigned
      ? JSON.stringify({ id: event.id, source: event.source, type: event.type, time: event.time, data: event.data })
      : delivery.raw.toString('utf8'),
  };
}

export const cloudevents: AlertSource = {
  name: 'cloudevents',
  summary: 'CloudEvents 1.0 in binary, structured or batched mode, signed by the Standard Webhooks scheme',
  proof:
    'Headers webhook-id, webhook-timestamp, webhook-signature over the body. In binary mode everything that matters must stand in the data.',
  challenge: 'StandardWebhooks',
  schema: cloudEventSchema.extend({ data: dataSchema }),
  verify: (delivery, { credentials }) => verifySigned(delivery, credentials.cloudevents),
  read: (delivery, id = '') => ({
    claims: cloudEventsOf(delivery).map((event) => claimOf(event, delivery, id)),
  }),
};
