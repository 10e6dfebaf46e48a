import { z } from 'zod';
import { aboutOf, kindOf, severityOf } from '../../../domain/incident/alert-mapping.ts';
import { verifySharedSecret } from '../proofs.ts';
import { jsonSource, moment, type Claim } from '../source.ts';

const labelsSchema = z.record(z.string().max(200), z.string());

/** An alert of a group, as Alertmanager and Grafana send it. */
export const groupedAlertSchema = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: labelsSchema,
  annotations: labelsSchema.default({}),
  startsAt: moment,
  endsAt: moment.optional(),
  generatorURL: z.string().optional(),
  fingerprint: z.string().regex(/^[0-9a-f]{1,64}$/, 'expected a fingerprint in hex'),
});

/** Alertmanager's webhook payload, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
const alertmanagerSchema = z.object({
  version: z.literal('4', { error: 'expected "4", the version of the webhook payload' }),
  groupKey: z.string(),
  status: z.enum(['firing', 'resolved']),
  receiver: z.string(),
  alerts: z.array(groupedAlertSchema).min(1),
});

/** A repeated notification of the same alert has the same id. */
export function claimOfGrouped(item: z.output<typeof groupedAlertSchema>): Claim {
  const { labels, annotations, status, startsAt, endsAt, fingerprint } = item;
  const name = labels['alertname'] ?? 'an alert without a name';
  return {
    id: `${fingerprint}:${status}:${status === 'resolved' ? (endsAt ?? startsAt) : startsAt}`,
    about: aboutOf(labels),
    kind: kindOf(labels),
    status,
    severity: severityOf(labels),
    title: annotations['summary'] || annotations['description'] || name,
    labels,
    startsAt,
    body: JSON.stringify(item),
  };
}

export const alertmanager = jsonSource({
  name: 'alertmanager',
  summary: 'Alerts of a group, as Alertmanager sends them (payload version 4)',
  proof: 'Authorization: Bearer with the shared credential, or Basic with it as the password.',
  challenge: 'Bearer realm="lazaret alerts"',
  schema: alertmanagerSchema,
  verify: (delivery, { credentials }) => verifySharedSecret(delivery, credentials.alertmanager),
  claims: ({ alerts }) => ({ claims: alerts.map(claimOfGrouped) }),
});
