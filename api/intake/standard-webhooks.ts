import { timingSafeEqual } from 'node:crypto';
import { signWebhook, webhookKey } from '../../evidence/keys/webhook-signature.ts';
import type { Delivery, Verdict } from './source.ts';

/** How old, or how far ahead, a delivery may be: https://github.com/standard-webhooks/standard-webhooks recommends minutes. */
export const TOLERANCE_SECONDS = 5 * 60;

const ID = /^[A-Za-z0-9_-]{1,200}$/;
const TIMESTAMP = /^[1-9]\d{8,11}$/;

export interface WebhookHeaders {
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
}

export type WebhookVerdict = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly why: string };

/**
 * Checks a delivery by the Standard Webhooks scheme over the raw bytes. The id has no dot and the timestamp is digits only, so that no other
 * split of `id.timestamp.body` gives the same text. Signatures are compared as text: two base64 texts of the same bytes would be two signatures.
 */
export function verifyWebhook(key: Buffer, headers: WebhookHeaders, body: Uint8Array, nowMs: number): WebhookVerdict {
  const { id, timestamp, signature } = headers;
  if (id === undefined || timestamp === undefined || signature === undefined) {
    return { ok: false, why: 'Send webhook-id, webhook-timestamp and webhook-signature.' };
  }
  if (!ID.test(id) || !TIMESTAMP.test(timestamp) || signature.length > 4096) {
    return { ok: false, why: 'The webhook headers are malformed.' };
  }
  const expected = Buffer.from(signWebhook(key, id, timestamp, body));
  const matches = signature.split(' ').filter((candidate) => {
    const given = Buffer.from(candidate);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (matches.length === 0) return { ok: false, why: 'The webhook signature does not match.' };
  // After the signature: whoever cannot sign learns nothing about the station's clock.
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) {
    return { ok: false, why: `The delivery is stale: its timestamp is more than ${TOLERANCE_SECONDS} s from now.` };
  }
  return { ok: true, id };
}

/** The scheme with its own header names and a secret `whsec_<base64>`. */
export function verifySigned(delivery: Delivery, secret: string | null | undefined): Verdict {
  const key = secret ? webhookKey(secret) : null;
  if (key === null) return { ok: false, why: 'No secret is configured for this source.' };
  const headers = {
    id: delivery.header('webhook-id'),
    timestamp: delivery.header('webhook-timestamp'),
    signature: delivery.header('webhook-signature'),
  };
  return verifyWebhook(key, headers, delivery.raw, delivery.receivedAt.getTime());
}
