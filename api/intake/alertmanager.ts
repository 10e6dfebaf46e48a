import { z } from 'zod';
import { MAX_ALERT_BODY, type Alert } from '../../domain/contracts/alert.ts';
import { endpointsOf, kindOf, severityOf } from '../../domain/incident/alert-mapping.ts';
import { digestOf } from '../../domain/proofs/digest.ts';

const labelsSchema = z.record(z.string().max(200), z.string());

/** Alertmanager's webhook payload, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export const alertmanagerSchema = z.object({
  version: z.literal('4', { error: 'expected "4", the version of the webhook payload' }),
  groupKey: z.string(),
  status: z.enum(['firing', 'resolved']),
  receiver: z.string(),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels: labelsSchema,
        annotations: labelsSchema.default({}),
        startsAt: z.iso.datetime({ offset: true }),
        endsAt: z.iso.datetime({ offset: true }).optional(),
        generatorURL: z.string().optional(),
        fingerprint: z.string().regex(/^[0-9a-f]{1,64}$/, 'expected a fingerprint in hex'),
      }),
    )
    .min(1),
});
type Payload = z.infer<typeof alertmanagerSchema>;

export interface MappedAlerts {
  readonly alerts: readonly Alert[];
  /** What the labels of alerts for nobody say, for the sender to mend. */
  readonly unknown: readonly string[];
}

/** One alert per alert of the group and endpoint it is about. A repeated notification of the same alert has the same delivery id. */
export function alertsOfGroup(
  payload: Payload,
  modelOf: Readonly<Record<string, string>>,
  receivedAt: Date,
): MappedAlerts {
  const unknown: string[] = [];
  const alerts = payload.alerts.flatMap((item) => {
    const { labels, annotations, status, startsAt, endsAt, fingerprint } = item;
    const endpoints = endpointsOf(labels, modelOf);
    if (endpoints.length === 0)
      unknown.push((labels['endpoint'] ?? labels['model'] ?? '(neither label)').slice(0, 100));
    const body = JSON.stringify(item).slice(0, MAX_ALERT_BODY);
    const name = labels['alertname'] ?? 'an alert without a name';
    return endpoints.map((endpoint): Alert => ({
      source: 'alertmanager',
      deliveryId: `${fingerprint}:${status}:${status === 'resolved' ? (endsAt ?? startsAt) : startsAt}:${endpoint}`,
      endpoint,
      kind: kindOf(labels),
      status,
      claimedSeverity: severityOf(labels),
      title: (annotations['summary'] || annotations['description'] || name).slice(0, 500),
      labels: Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, value.slice(0, 2000)])),
      startsAt,
      receivedAt: receivedAt.toISOString(),
      body,
      bodyDigest: digestOf(body),
    }));
  });
  return { alerts, unknown };
}
