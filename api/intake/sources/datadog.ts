import { z } from 'zod';
import { aboutOf, kindOf, severityOf } from '../../../domain/incident/alert-mapping.ts';
import { verifySharedSecret } from '../proofs.ts';
import { jsonSource } from '../source.ts';

/** Datadog's variables are put in as they are; the list of tags is one text, `name:value,name:value`. */
const text = z.string().max(10_000).default('');

/**
 * The payload that docs/connect.md gives to paste: Datadog sends what its user writes, with these variables filled in.
 * https://docs.datadoghq.com/integrations/webhooks/#variables
 */
const datadogSchema = z.object({
  event_id: text.describe('$ID'),
  alert_id: text.describe('$ALERT_ID'),
  cycle: text.describe('$ALERT_CYCLE_KEY'),
  transition: z.string().max(100).describe('$ALERT_TRANSITION'),
  title: text.describe('$EVENT_TITLE'),
  priority: text.describe('$ALERT_PRIORITY'),
  type: text.describe('$ALERT_TYPE'),
  scope: text.describe('$ALERT_SCOPE'),
  tags: text.describe('$TAGS'),
  link: text.describe('$LINK'),
  date: z
    .string()
    .regex(/^[1-9]\d{11,13}$/, 'expected milliseconds since 1970, as $DATE gives them')
    .describe('$DATE'),
});

/** `$ALERT_TRANSITION`. A warning is an alert of the monitor's lower threshold; a lack of data says nothing about a model. */
const STATUS: ReadonlyMap<string, 'firing' | 'resolved'> = new Map([
  ['triggered', 'firing'],
  ['re-triggered', 'firing'],
  ['renotify', 'firing'],
  ['warn', 'firing'],
  ['re-warn', 'firing'],
  ['recovered', 'resolved'],
]);

/** `name:value` of a list of tags, the first of each name; a tag without a value is left out. */
function tagsOf(list: string): Record<string, string> {
  const pairs = list.split(',').flatMap((tag): [string, string][] => {
    const colon = tag.indexOf(':');
    return colon <= 0 ? [] : [[tag.slice(0, colon).trim(), tag.slice(colon + 1).trim()]];
  });
  return Object.fromEntries(pairs.reverse());
}

export const datadog = jsonSource({
  name: 'datadog',
  summary: 'A transition of a monitor, as a webhook of Datadog with the payload of docs/connect.md sends it',
  proof: 'Authorization: Bearer with the shared credential, as a custom header; Datadog signs nothing.',
  challenge: 'Bearer realm="lazaret alerts"',
  schema: datadogSchema,
  verify: (delivery, { credentials }) => verifySharedSecret(delivery, credentials.datadog),
  claims: (payload, { delivery }) => {
    const { transition, title, priority, type, scope, tags: list } = payload;
    const status = STATUS.get(transition.toLowerCase());
    if (status === undefined) return { claims: [], ignored: `A transition ${JSON.stringify(transition)} is no alert.` };
    const tags = tagsOf(`${list},${scope}`);
    return {
      claims: [
        {
          id: [payload.alert_id, payload.cycle, payload.event_id, transition].join(':'),
          about: aboutOf(tags).endpoint === undefined ? { ...aboutOf(tags), names: named(tags) } : aboutOf(tags),
          kind: kindOf({ ...tags, alertname: title }),
          status,
          severity: severityOf({ severity: tags['severity'] ?? '' }) ?? severityOf({ severity: priority || type }),
          title,
          labels: { ...tags, monitor: payload.alert_id, transition, priority, link: payload.link },
          startsAt: new Date(Number(payload.date)).toISOString(),
          body: delivery.raw.toString('utf8'),
        },
      ],
    };
  },
});

/** Datadog's own tag for what a monitor is about. */
function named(tags: Readonly<Record<string, string>>): string[] {
  return Object.hasOwn(tags, 'service') && tags['service'] !== undefined ? [tags['service']] : [];
}
