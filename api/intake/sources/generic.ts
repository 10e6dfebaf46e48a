import { plainAlertSchema } from '../plain-alert.ts';
import { jsonSource } from '../source.ts';
import { verifySigned } from '../standard-webhooks.ts';

export const generic = jsonSource({
  name: 'generic',
  summary: 'One alert, signed by the Standard Webhooks scheme',
  proof: 'Headers webhook-id, webhook-timestamp, webhook-signature (v1,<base64 HMAC-SHA256 of id.timestamp.body>).',
  challenge: 'StandardWebhooks',
  schema: plainAlertSchema,
  verify: (delivery, { credentials }) => verifySigned(delivery, credentials.generic),
  claims: (plain, { delivery, id = '' }) => ({
    claims: [
      {
        id,
        about: { endpoint: plain.endpoint },
        kind: plain.kind,
        status: 'firing',
        severity: plain.severity,
        title: plain.title,
        labels: plain.labels,
        startsAt: plain.startsAt ?? delivery.receivedAt.toISOString(),
        body: delivery.raw.toString('utf8'),
      },
    ],
  }),
});
