import { createPublicKey } from 'node:crypto';
import type { PublicKey, TrustRoot, VerificationKey } from '../../domain/contracts/approval.ts';
import type { Configuration } from '../../domain/contracts/configuration.ts';
import type { TrustedKey } from '../../evidence/ports.ts';

/** Who may decide what, in the form a workflow can use: people and gates of `lazaret.yaml`, vouchers of `trust.json`. */
export function trustRootOf(configuration: Configuration, trustKeys: readonly TrustedKey[]): TrustRoot {
  const vouchers = trustKeys
    .filter((key) => key.uses.includes('vouch'))
    .map((key) => rawKey({ kid: key.kid, alg: key.alg, publicKey: key.publicKeyPem }));
  const people = configuration.people.map(({ id, name, roles, keys }) => ({ id, name, roles, keys: keys.map(rawKey) }));
  // A kid that names two keys would let one holder speak as the other.
  const kids = [...vouchers, ...people.flatMap((person) => person.keys)].map((key) => key.kid);
  const repeated = kids.find((kid, index) => kids.indexOf(kid) !== index);
  if (repeated !== undefined)
    throw new TypeError(
      `the key id "${repeated}" names two keys: of people in lazaret.yaml, or of a person and a voucher in trust.json`,
    );
  return { people, vouchers, gates: configuration.gates };
}

/** PEM (SubjectPublicKeyInfo) to hex of the raw key: 32 bytes for Ed25519, 65 (uncompressed point) for P-256. */
export function rawKey(key: PublicKey): VerificationKey {
  let jwk;
  try {
    jwk = createPublicKey({ key: key.publicKey, format: 'pem' }).export({ format: 'jwk' });
  } catch (cause) {
    throw new TypeError(`the key "${key.kid}" is not a PEM public key`, { cause });
  }
  const hex = (text: string | undefined): string => Buffer.from(text ?? '', 'base64url').toString('hex');
  if (key.alg === 'EdDSA' && jwk.kty === 'OKP' && jwk.crv === 'Ed25519')
    return { kid: key.kid, alg: key.alg, raw: hex(jwk.x) };
  if (key.alg === 'ES256' && jwk.kty === 'EC' && jwk.crv === 'P-256') {
    return { kid: key.kid, alg: key.alg, raw: `04${hex(jwk.x).padStart(64, '0')}${hex(jwk.y).padStart(64, '0')}` };
  }
  throw new TypeError(
    `the key "${key.kid}" is declared as ${key.alg} but is ${jwk.crv ?? jwk.kty ?? 'something else'}`,
  );
}
