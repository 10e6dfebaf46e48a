import { encodeBase64url } from '../../domain/proofs/base64url.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { MAX_JWS_CHARACTERS } from '../../domain/proofs/jws.ts';
import type { Signer } from '../ports.ts';

/**
 * A compact JWS with exactly `alg`, `kid` and `typ` over the canonical JSON of the payload; `verifyCompactJws` is the other half and MUST be
 * given the same `maxCharacters`. Throws RangeError on a longer token, because nobody could verify it.
 */
export function signCompactJws(
  payload: unknown,
  typ: string,
  signer: Signer,
  { maxCharacters = MAX_JWS_CHARACTERS }: { readonly maxCharacters?: number } = {},
): string {
  const utf8 = new TextEncoder();
  const header = { alg: signer.alg, kid: signer.kid, typ };
  const input = [header, payload].map((part) => encodeBase64url(utf8.encode(canonicalJson(part)))).join('.');
  const token = `${input}.${encodeBase64url(signer.sign(utf8.encode(input)))}`;
  if (token.length > maxCharacters)
    throw new RangeError(`the payload makes a token longer than ${maxCharacters} characters`);
  return token;
}
