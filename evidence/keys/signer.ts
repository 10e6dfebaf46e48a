import { createPublicKey, sign } from 'node:crypto';
import type { PublicKey } from '../../domain/contracts/approval.ts';
import type { KeyUse } from '../../domain/contracts/trust.ts';
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
