import { z } from 'zod';
import { INCIDENT_KINDS, SEVERITIES } from '../incident/kinds.ts';
import { digestSchema } from './object-ref.ts';

/** The name of an endpoint in `lazaret.yaml`: a DNS label, so that it may stand in workflow ids, object keys and URLs as it is. */
export const endpointNameSchema = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'expected a DNS label: lower-case letters, digits and hyphens, at most 63',
  );

/**
 * Who an alert came from: a kind of sender by its name, `mapped` for those that `intake.sources` of lazaret.yaml describes, `operator` for a
 * person. Values are only ever added: recorded histories hold them.
 */
export const ALERT_SOURCES = [
  'alertmanager',
  'generic',
  'operator',
  'grafana',
  'pagerduty',
  'github',
  'cloudevents',
  'sns',
  'mlflow',
  'datadog',
  'falco',
  'evidently',
  'kserve',
  'mapped',
] as const;

/**
 * One normalised alert, as the workflow receives it. The intake has already authenticated the sender.
 * `body` keeps the alert as it came (at most MAX_ALERT_BODY characters), because it becomes evidence.
 */
export const MAX_ALERT_BODY = 32 * 1024;
export const alertSchema = z.object({
  source: z.enum(ALERT_SOURCES),
  /** Unique per delivery and source; a repeated one is a duplicate. */
  deliveryId: z.string().min(1).max(256),
  endpoint: endpointNameSchema,
  kind: z.enum(INCIDENT_KINDS),
  /** A "resolved" alert is evidence, never closure. */
  status: z.enum(['firing', 'resolved']),
  /** What the sender claims; triage may raise it, only a person may lower it. */
  claimedSeverity: z.enum(SEVERITIES).nullable(),
  title: z.string().min(1).max(500),
  labels: z.record(z.string().max(200), z.string().max(2000)),
  startsAt: z.iso.datetime({ offset: true }),
  receivedAt: z.iso.datetime({ offset: true }),
  body: z.string().max(MAX_ALERT_BODY),
  bodyDigest: digestSchema,
});
export type Alert = z.infer<typeof alertSchema>;
