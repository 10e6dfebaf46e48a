import { createHmac } from 'node:crypto';

/** https://github.com/standard-webhooks/standard-webhooks: the key of a secret `whsec_<base64>`; null where it is not one of at least 24 bytes. */
export function webhookKey(secret: string): Buffer | null {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  const key = encoded ? Buffer.from(encoded, 'base64') : null;
  return key && key.length >= 24 ? key : null;
}

/** `v1,<base64 of HMAC-SHA256 over id.timestamp.body>`; the timestamp is in seconds since the epoch. */
export function signWebhook(key: Buffer, id: string, timestamp: string, body: Uint8Array | string): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

/** The headers that a delivery is sent with. */
export function webhookHeaders(key: Buffer, id: string, at: Date, body: Uint8Array | string): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signWebhook(key, id, timestamp, body),
  };
}
