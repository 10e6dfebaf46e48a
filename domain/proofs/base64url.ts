import { URL_SAFE } from './base64.ts';

/** RFC 4648 section 5 without padding: what JWS uses. */
export function encodeBase64url(bytes: Uint8Array): string {
  return URL_SAFE.encode(bytes);
}

/** Strict: refuses padding, foreign characters and non-canonical trailing bits. Throws TypeError. */
export function decodeBase64url(text: string): Uint8Array {
  return URL_SAFE.decode(text);
}
