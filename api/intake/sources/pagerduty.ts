import { z } from 'zod';
import { kindOf, severityOf } from '../../../domain/incident/alert-mapping.ts';
import { hmacHex, isAmong, NOT_CONFIGURED } from '../proofs.ts';
import { jsonSource, moment, type Delivery, type Verdict } from '../source.ts';

const reference = z.object({ id: z.string(), summary: z.string().nullish() });

/**
 * A V3 webhook: one event, whose data is an incident for the types that are read here.
 * https://developer.pagerduty.com/docs/webhooks-overview (also docs/webhooks of https://github.com/PagerDuty/developer-docs)
 */
const pagerdutySchema = z.object({
  event: z.object({
    id: z.string().min(1).max(200),
    event_type: z.string().max(100),
    resource_type: z.string().max(100),
    occurred_at: moment,
    data: z.object({
      id: z.string().optional(),
      title: z.string().optional(),
      html_url: z.string().nullish(),
      incident_key: z.string().nullish(),
      urgency: z.string().nullish(),
      priority: reference.nullish(),
      service: reference.nullish(),
    }),
  }),
});

/** What happens to an incident there, in the words of an alert. Everything else is no alert. */
const STATUS: ReadonlyMap<string, 'firing' | 'resolved'> = new Map([
  ['incident.triggered', 'firing'],
  ['incident.reopened', 'firing'],
  ['incident.resolved', 'resolved'],
]);

/** PagerDuty tries for about 20 minutes, and what waits behind a failing delivery comes later. It signs no time of its own. */
const WINDOW_SECONDS = 60 * 60;

/** `X-PagerDuty-Signature: v1=<hex>,v1=<hex>`, HMAC-SHA256 of the body, one for each secret while it is rotated. */
export function verifyPagerDuty(delivery: Delivery, secret: string | null | undefined): Verdict {
  if (!secret) return NOT_CONFIGURED;
  const header = delivery.header('x-pagerduty-signature');
  if (header === undefined || header.length > 4096) {
    return { ok: false, why: 'Send X-PagerDuty-Signature, v1=<hex>.' };
  }
  const given = header.split(',').map((one) => one.trim());
  return isAmong(given, `v1=${hmacHex(secret, delivery.raw)}`)
    ? { ok: true }
    : { ok: false, why: 'The signature does not match.' };
}

export const pagerduty = jsonSource({
  name: 'pagerduty',
  summary: 'An event of an incident, as a V3 webhook subscription of PagerDuty sends it',
  proof: 'X-PagerDuty-Signature: v1=<hex HMAC-SHA256 of the body>, several while the secret is rotated.',
  challenge: 'PagerDuty',
  windowSeconds: WINDOW_SECONDS,
  schema: pagerdutySchema,
  verify: (delivery, { credentials }) => verifyPagerDuty(delivery, credentials.pagerduty),
  claims: ({ event }, { delivery }) => {
    const { id, event_type: type, occurred_at: at, data } = event;
    const status = STATUS.get(type);
    if (status === undefined) return { claims: [], ignored: `An event of type ${type} is no alert.`, happenedAt: at };
    const { service, priority, urgency } = data;
    return {
      happenedAt: at,
      claims: [
        {
          id,
          about: { names: [service?.summary, service?.id].filter((name) => typeof name === 'string') },
          kind: kindOf({ alertname: data.title ?? '' }),
          status,
          severity: severityOf({ severity: priority?.summary ?? urgency ?? '' }),
          title: data.title ?? '',
          labels: {
            event: type,
            incident: data.id ?? '',
            incidentKey: data.incident_key ?? '',
            service: service?.summary ?? '',
            priority: priority?.summary ?? '',
            urgency: urgency ?? '',
            url: data.html_url ?? '',
          },
          startsAt: at,
          body: delivery.raw.toString('utf8'),
        },
      ],
    };
  },
});
