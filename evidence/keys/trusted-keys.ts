import { verify, type KeyObject } from 'node:crypto';
import type { PublicKey, VerificationKey } from '../../domain/contracts/approval.ts';
import { trustFileSchema, type KeyUse, type TrustFile } from '../../domain/contracts/trust.ts';
import type { TrustedKey } from '../ports.ts';
import { algorithmOf, keyIdOf, KeyRefused, pemOf, readPublicKey, type KeyAlgorithm } from './key-material.ts';

/**
 * Reads `trust.json` (text, or its parsed value). Every key MUST be of the algorithm and have the id it is listed with, and no id may stand
 * for two keys. Throws KeyRefused naming the entry.
 */
export function loadTrustFile(json: unknown): TrustedKey[] {
  const parsed = trustFileSchema.safeParse(typeof json === 'string' ? parseText(json) : json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new KeyRefused(
      'bad-file',
      `the trust file is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'unknown'}`,
    );
  }
  const keys = parsed.data.keys.map(({ kid, name, alg, publicKey, uses }): TrustedKey => {
    const key = readListed({ kid, alg, publicKey }, name);
    if (keyIdOf(key) !== kid)
      throw new KeyRefused('wrong-kid', `the key "${name}" has the id ${keyIdOf(key)}, not ${kid}`);
    return { kid, name, alg, publicKeyPem: pemOf(key), uses };
  });
  const repeated = keys.find((key, index) => keys.findIndex((other) => other.kid === key.kid) !== index);
  if (repeated)
    throw new KeyRefused('repeated-kid', `the key id ${repeated.kid} is listed twice: give one entry all its uses`);
  return keys;
}

/** The trust file that lists these keys. */
export function trustFileOf(keys: readonly TrustedKey[]): TrustFile {
  return {
    schema: 'lazaret.trust/v1',
    keys: keys.map(({ kid, name, alg, publicKeyPem, uses }) => ({
      kid,
      name,
      alg,
      publicKey: publicKeyPem,
      uses: [...uses],
    })),
  };
}

/** PEM to the raw hex a workflow can use: 32 bytes of Ed25519, or 65 of an uncompressed P-256 point. Throws KeyRefused. */
export function verificationKeyOf(listed: PublicKey | TrustedKey): VerificationKey {
  const { kid, alg } = listed;
  const publicKey = 'publicKey' in listed ? listed.publicKey : listed.publicKeyPem;
  return { kid, alg, raw: rawHex(readListed({ kid, alg, publicKey }, kid), alg) };
}

/** The keys that may vouch for `use`, in the form `verifyCompactJws` takes. */
export function verificationKeysFor(keys: readonly TrustedKey[], use: KeyUse): readonly VerificationKey[] {
  return keys.filter((key) => key.uses.includes(use)).map((key) => verificationKeyOf(key));
}

/** One signature by a trusted key over a message. P-256 in DER, as DSSE and OMS carry it; Ed25519 raw. False on anything malformed. */
export function verifyBy(key: TrustedKey, message: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = readListed({ kid: key.kid, alg: key.alg, publicKey: key.publicKeyPem }, key.name);
  return key.alg === 'EdDSA'
    ? verify(null, message, publicKey, signature)
    : verify('sha256', message, { key: publicKey, dsaEncoding: 'der' }, signature);
}

function readListed(listed: PublicKey, name: string): KeyObject {
  const key = readPublicKey(listed.publicKey);
  if (algorithmOf(key) !== listed.alg)
    throw new KeyRefused(
      'wrong-algorithm',
      `the key "${name}" is listed as ${listed.alg}, but is for ${algorithmOf(key)}`,
    );
  return key;
}

function rawHex(key: KeyObject, alg: KeyAlgorithm): string {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const hex = (text: string) => Buffer.from(text, 'base64url').toString('hex');
  return alg === 'EdDSA' ? hex(x) : `04${hex(x)}${hex(y)}`;
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KeyRefused('bad-file', 'the trust file is not JSON', { cause });
  }
}
