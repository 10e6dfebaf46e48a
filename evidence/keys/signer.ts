import { createPublicKey, sign } from 'node:crypto';
import type { PublicKey } from '../../domain/contracts/approval.ts';
import type { KeyUse } from '../../domain/contracts/trust.ts';
import { encodeBase64url } from '../../domain/proofs/base64url.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { MAX_JWS_CHARACTERS } from '../../domain/proofs/jws.ts';
import type { Signer, TrustedKey } from '../ports.ts';
import { algorithmOf, keyIdOf, pemOf, readPrivateKey } from './key-material.ts';

/** A signer over a private key in this process's memory. The key object stays in the closure: a signer that is logged shows no secret. */
export function createSigner(key: {
  readonly name: string;
  readonly privatePem: string;
  readonly passphrase?: string;
}): Signer {
  const privateKey = readPrivateKey(key.privatePem, key.passphrase);
  const publicKey = createPublicKey(privateKey);
  const alg = algorithmOf(publicKey);
  return {
    kid: keyIdOf(publicKey),
    name: key.name,
    alg,
    publicKeyPem: pemOf(publicKey),
    sign(message, { der = false } = {}) {
      if (alg === 'EdDSA') {
        if (der) throw new TypeError('an Ed25519 signature has no DER form');
        return new Uint8Array(sign(null, message, privateKey));
      }
      return new Uint8Array(sign('sha256', message, { key: privateKey, dsaEncoding: der ? 'der' : 'ieee-p1363' }));
    },
  };
}

/** The signer's public half as a verifier trusts it. */
export function trustedKeyOf(signer: Signer, uses: readonly KeyUse[]): TrustedKey {
  const { kid, name, alg, publicKeyPem } = signer;
  return { kid, name, alg, publicKeyPem, uses };
}

/** The signer's public half as `lazaret.yaml` and `trust.json` carry it. */
export function publicKeyOf(signer: Signer): PublicKey {
  return { kid: signer.kid, alg: signer.alg, publicKey: signer.publicKeyPem };
}

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
