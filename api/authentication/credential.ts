import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares in a time that depends on neither text: both are hashed first, so that their lengths do not show either. */
export function sameSecret(first: string, second: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(hash(first), hash(second));
}

/** The token of `Authorization: Bearer …`, or the password of `Basic …` where that is allowed; null for anything else. */
export function presentedSecret(header: string | undefined, basic: 'basic-too' | 'bearer-only'): string | null {
  const bearer = /^Bearer ([!-~]{1,4096})$/i.exec(header ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const encoded = /^Basic ([A-Za-z0-9+/]{1,4096}={0,2})$/i.exec(header ?? '')?.[1];
  if (encoded === undefined || basic === 'bearer-only') return null;
  const pair = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return colon < 0 ? null : pair.slice(colon + 1);
}
