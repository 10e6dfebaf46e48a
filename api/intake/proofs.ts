import { createHmac, timingSafeEqual } from 'node:crypto';
import { presentedSecret, sameSecret } from '../authentication/credential.ts';
import type { Delivery, Verdict } from './source.ts';

/** What every source answers where no secret of it is configured. */
export const NOT_CONFIGURED: Verdict = { ok: false, why: 'No credential is configured for this source.' };

/** `Authorization: Bearer` with the shared credential, or `Basic` with it as the password. */
export function verifySharedSecret(delivery: Delivery, expected: string | null | undefined): Verdict {
  if (!expected) return NOT_CONFIGURED;
  const given = presentedSecret(delivery.header('authorization'), 'basic-too');
  return given !== null && sameSecret(given, expected)
    ? { ok: true }
    : { ok: false, why: 'The credential is missing or wrong.' };
}

/** HMAC-SHA256 with the secret's UTF-8 bytes as the key, in lower-case hex. */
export function hmacHex(secret: string, ...parts: readonly (string | Uint8Array)[]): string {
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest('hex');
}

/** Is `expected` among the candidates? In a time that depends on their lengths and number only, which are no secret. */
export function isAmong(candidates: readonly string[], expected: string): boolean {
  const wanted = Buffer.from(expected);
  return candidates.reduce((found, candidate) => {
    const given = Buffer.from(candidate);
    return (given.length === wanted.length && timingSafeEqual(given, wanted)) || found;
  }, false);
}

/** Why a delivery of that time is refused; null where it is near enough to now. */
export function staleness(seconds: number, nowMs: number, windowSeconds: number): string | null {
  return Math.abs(nowMs / 1000 - seconds) <= windowSeconds
    ? null
    : `The delivery is stale: its timestamp is more than ${windowSeconds} s from now.`;
}
