import { z } from 'zod';
import { kindOf, severityOf } from '../../../domain/incident/alert-mapping.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { hmacHex, isAmong, NOT_CONFIGURED } from '../proofs.ts';
import { jsonSource, moment, type Delivery, type Verdict } from '../source.ts';

/** What the three kinds of alert have in common, and what tells one from another: the name of the event is a header that nobody signs. */
const alertFields = z.object({
  number: z.number().int(),
  html_url: z.string().optional(),
  created_at: moment.nullish(),
  updated_at: moment.nullish(),
  rule: z
    .object({
      id: z.string(),
      description: z.string(),
      severity: z.string().nullish(),
      security_severity_level: z.string().nullish(),
    })
    .optional(),
  tool: z.object({ name: z.string() }).optional(),
  secret_type: z.string().optional(),
  security_advisory: z.object({ ghsa_id: z.string(), summary: z.string(), severity: z.string() }).optional(),
});

/**
 * Webhooks `code_scanning_alert`, `dependabot_alert` and `secret_scanning_alert`, and the ping of a new webhook.
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads
 */
const githubSchema = z.union([
  z.object({
    action: z.string().max(100),
    alert: alertFields,
    repository: z.object({ full_name: z.string().max(200), html_url: z.string().optional() }),
    ref: z.string().nullish(),
    commit_oid: z.string().nullish(),
  }),
  z.object({ zen: z.string(), hook_id: z.number().int() }),
]);

const STATUS: ReadonlyMap<string, 'firing' | 'resolved'> = new Map([
  ['created', 'firing'],
  ['reopened', 'firing'],
  ['reopened_by_user', 'firing'],
  ['auto_reopened', 'firing'],
  ['reintroduced', 'firing'],
  ['publicly_leaked', 'firing'],
  ['fixed', 'resolved'],
  ['resolved', 'resolved'],
  ['dismissed', 'resolved'],
  ['auto_dismissed', 'resolved'],
  ['closed_by_user', 'resolved'],
]);

/** A person may send a delivery again for three days; GitHub signs no time of its own. */
const WINDOW_SECONDS = 3 * 24 * 60 * 60;

/** `X-Hub-Signature-256: sha256=<hex>`: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
export function verifyGitHub(delivery: Delivery, secret: string | null | undefined): Verdict {
  if (!secret) return NOT_CONFIGURED;
  const header = delivery.header('x-hub-signature-256');
  if (header === undefined) return { ok: false, why: 'Send X-Hub-Signature-256, sha256=<hex>.' };
  return isAmong([header], `sha256=${hmacHex(secret, delivery.raw)}`)
    ? { ok: true }
    : { ok: false, why: 'The signature does not match.' };
}

function describe(alert: z.output<typeof alertFields>): { what: string; title: string; severity: string } {
  const { rule, tool, secret_type: secret, security_advisory: advisory } = alert;
  if (rule) {
    const severity = rule.security_severity_level ?? rule.severity ?? '';
    return { what: 'code scanning', title: `${tool?.name ?? 'Code scanning'}: ${rule.description}`, severity };
  }
  if (advisory) return { what: 'dependency', title: advisory.summary, severity: advisory.severity };
  if (secret) return { what: 'secret', title: `A secret of type ${secret} is in the repository`, severity: '' };
  return { what: 'alert', title: `Alert ${alert.number}`, severity: '' };
}

export const github = jsonSource({
  name: 'github',
  summary: 'An alert of code scanning, Dependabot or secret scanning, as a GitHub webhook sends it',
  proof: 'X-Hub-Signature-256: sha256=<hex HMAC-SHA256 of the body>.',
  challenge: 'GitHub',
  windowSeconds: WINDOW_SECONDS,
  schema: githubSchema,
  verify: (delivery, { credentials }) => verifyGitHub(delivery, credentials.github),
  claims: (payload, { delivery }) => {
    if ('zen' in payload) return { claims: [], ignored: 'A ping is no alert; the signature is right.' };
    const { action, alert, repository } = payload;
    const status = STATUS.get(action);
    if (status === undefined)
      return { claims: [], ignored: `An alert that was ${action} is neither new nor resolved.` };
    const happenedAt = alert.updated_at ?? (action === 'created' ? alert.created_at : undefined) ?? undefined;
    const { what, title, severity } = describe(alert);
    return {
      happenedAt,
      claims: [
        {
          // X-GitHub-Delivery is not under the signature: with another one, the same body would be another delivery.
          id: digestOf(delivery.raw),
          about: { names: [repository.full_name] },
          kind: kindOf({ alertname: title }),
          status,
          severity: severityOf({ severity }),
          title,
          labels: {
            repository: repository.full_name,
            alert: what,
            action,
            number: String(alert.number),
            rule: alert.rule?.id ?? alert.security_advisory?.ghsa_id ?? alert.secret_type ?? '',
            ref: payload.ref ?? '',
            commit: payload.commit_oid ?? '',
            url: alert.html_url ?? '',
          },
          startsAt: happenedAt ?? delivery.receivedAt.toISOString(),
          body: delivery.raw.toString('utf8'),
        },
      ],
    };
  },
});
