import { Failure } from '../../domain/incident/failure.ts';
import { webhookHeaders, webhookKey } from '../../evidence/keys/webhook-signature.ts';

/** An alert as the intake reads it from the data of a CloudEvent (`POST /v1/alerts/cloudevents`). */
export interface OwnAlert {
  /** Unique for each alert; a repeated one is a duplicate. */
  readonly id: string;
  /** URI of the sender, as `/lazaret/gateway/<replica>`. */
  readonly source: string;
  readonly type: string;
  readonly endpoint: string;
  readonly kind: string;
  readonly title: string;
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly at: string;
}

const TIMEOUT_MS = 10_000;

/**
 * Sends alerts as structured CloudEvents 1.0, signed by the Standard Webhooks scheme. `secret` is `whsec_<base64>`. Rejects with a Failure:
 * `endpoint/unreachable` where trying again can help, `endpoint/refused` where it cannot.
 */
export function createCloudEventSender({
  url,
  secret,
  now = () => new Date(),
}: {
  readonly url: string;
  readonly secret: string;
  readonly now?: () => Date;
}): (alert: OwnAlert) => Promise<void> {
  const key = webhookKey(secret);
  if (key === null) throw new TypeError('the secret of the alerts is not whsec_ and the base64 of 24 bytes or more');
  return async (alert) => {
    const body = JSON.stringify({
      specversion: '1.0',
      id: alert.id,
      source: alert.source,
      type: alert.type,
      subject: alert.endpoint,
      time: alert.at,
      datacontenttype: 'application/json',
      data: {
        endpoint: alert.endpoint,
        kind: alert.kind,
        title: alert.title,
        labels: alert.labels,
        startsAt: alert.at,
      },
    });
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/cloudevents+json',
        ...webhookHeaders(key, alert.id, now(), body),
      },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw new Failure('endpoint/unreachable', 'the intake of alerts does not answer', { cause });
    });
    if (response.ok) return;
    const reason = `the intake of alerts answers ${response.status}: ${(await response.text()).slice(0, 200)}`;
    const again = response.status >= 500 || response.status === 429 || response.status === 408;
    throw new Failure(again ? 'endpoint/unreachable' : 'endpoint/refused', reason);
  };
}
