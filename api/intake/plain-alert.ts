import { z } from 'zod';
import { endpointNameSchema, MAX_ALERT_BODY, type Alert } from '../../domain/contracts/alert.ts';
import { INCIDENT_KINDS, SEVERITIES } from '../../domain/incident/kinds.ts';
import { digestOf } from '../../domain/proofs/digest.ts';

/** The body of `POST /v1/alerts/generic` and of an alert that an operator raises by hand. */
export const plainAlertSchema = z.strictObject({
  endpoint: endpointNameSchema,
  kind: z.enum(INCIDENT_KINDS),
  severity: z.enum(SEVERITIES).nullable().default(null),
  title: z.string().min(1).max(500),
  labels: z.record(z.string().max(200), z.string().max(2000)).default({}),
  startsAt: z.iso.datetime({ offset: true }).optional(),
});
type PlainAlert = z.infer<typeof plainAlertSchema>;

/** `text` is the body as it came; longer ones are cut, because the alert becomes part of a workflow's history. */
export function operatorAlert(plain: PlainAlert, about: { deliveryId: string; text: string; receivedAt: Date }): Alert {
  const body = about.text.slice(0, MAX_ALERT_BODY);
  const receivedAt = about.receivedAt.toISOString();
  return {
    source: 'operator',
    deliveryId: about.deliveryId,
    endpoint: plain.endpoint,
    kind: plain.kind,
    status: 'firing',
    claimedSeverity: plain.severity,
    title: plain.title,
    labels: plain.labels,
    startsAt: plain.startsAt ?? receivedAt,
    receivedAt,
    body,
    bodyDigest: digestOf(body),
  };
}
