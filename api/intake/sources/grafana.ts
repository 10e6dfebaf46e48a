import { z } from 'zod';
import { hmacHex, isAmong, NOT_CONFIGURED, staleness } from '../proofs.ts';
import { jsonSource, type Delivery, type Verdict } from '../source.ts';
import { TOLERANCE_SECONDS } from '../standard-webhooks.ts';
import { claimOfGrouped, groupedAlertSchema } from './alertmanager.ts';

/**
 * Grafana Alerting's webhook payload, version 1: Alertmanager's with values and links beside each alert.
 * https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
 */
const grafanaSchema = z.object({
  version: z.literal('1', { error: 'expected "1", the version of the webhook payload' }),
  groupKey: z.string(),
  status: z.enum(['firing', 'resolved']),
  receiver: z.string(),
  orgId: z.number().int().optional(),
  externalURL: z.string().optional(),
  alerts: z
    .array(
      groupedAlertSchema.extend({
        values: z.record(z.string().max(200), z.number().nullable()).nullish(),
        silenceURL: z.string().optional(),
        dashboardURL: z.string().optional(),
        panelURL: z.string().optional(),
        imageURL: z.string().optional(),
      }),
    )
    .min(1),
});

/** Grafana lets its user name the header of the timestamp and proposes none; this is the name that docs/connect.md asks for. */
export const GRAFANA_TIMESTAMP = 'x-grafana-alerting-signature-timestamp';

/**
 * Grafana 12's signature: hex of HMAC-SHA256 over `timestamp:body`. Grafana signs the body alone where no header for the timestamp is set, which
 * anyone who saw one delivery could send again for ever: that is refused.
 */
export function verifyGrafana(delivery: Delivery, secret: string | null | undefined): Verdict {
  if (!secret) return NOT_CONFIGURED;
  const signature = delivery.header('x-grafana-alerting-signature');
  const timestamp = delivery.header(GRAFANA_TIMESTAMP);
  if (signature === undefined || timestamp === undefined) {
    return {
      ok: false,
      why: 'Send X-Grafana-Alerting-Signature, and a timestamp in X-Grafana-Alerting-Signature-Timestamp.',
    };
  }
  if (!/^[1-9]\d{8,11}$/.test(timestamp)) return { ok: false, why: 'The timestamp is malformed.' };
  if (!isAmong([signature], hmacHex(secret, `${timestamp}:`, delivery.raw))) {
    return { ok: false, why: 'The signature does not match.' };
  }
  const stale = staleness(Number(timestamp), delivery.receivedAt.getTime(), TOLERANCE_SECONDS);
  return stale === null ? { ok: true } : { ok: false, why: stale };
}

export const grafana = jsonSource({
  name: 'grafana',
  summary: 'Alerts of a group, as a webhook contact point of Grafana 12 or later sends them',
  proof:
    'X-Grafana-Alerting-Signature: hex HMAC-SHA256 of timestamp:body, with the timestamp in X-Grafana-Alerting-Signature-Timestamp.',
  challenge: 'GrafanaHMAC',
  schema: grafanaSchema,
  verify: (delivery, { credentials }) => verifyGrafana(delivery, credentials.grafana),
  claims: ({ alerts }) => ({ claims: alerts.map(claimOfGrouped) }),
});
