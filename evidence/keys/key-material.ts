import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

export type KeyAlgorithm = 'EdDSA' | 'ES256';

export type KeyRefusal =
  'unreadable' | 'wrong-passphrase' | 'wrong-algorithm' | 'wrong-kid' | 'repeated-kid' | 'bad-file';

/** Why a key is not used. The message never carries key material. */
export class KeyRefused extends Error {
  readonly reason: KeyRefusal;
  constructor(reason: KeyRefusal, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'KeyRefused';
    this.reason = reason;
  }
}

export interface KeyPair {
  /** PKCS#8 PEM; encrypted (PBES2, AES-256) where a passphrase was given. */
  readonly privatePem: string;
  /** SubjectPublicKeyInfo PEM. */
  readonly publicPem: string;
}

/** A new key pair: Ed25519 for EdDSA, P-256 for ES256. A person's key SHOULD have a passphrase; a machine's lies in a secret file. */
export function generateKey(alg: KeyAlgorithm, options: { readonly passphrase?: string } = {}): KeyPair {
  const { privateKey, publicKey } =
    alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { passphrase } = options;
  const privatePem = privateKey.export(
    passphrase === undefined
      ? { type: 'pkcs8', format: 'pem' }
      : { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase },
  );
  return { privatePem: privatePem.toString(), publicPem: pemOf(publicKey) };
}

/** Throws KeyRefused: `wrong-passphrase` where one is missing or does not fit, `unreadable` where it is no key. */
export function readPrivateKey(pem: string, passphrase?: string): KeyObject {
  try {
    // A missing passphrase is given as the empty one: OpenSSL would ask for it on the terminal otherwise.
    return createPrivateKey({ key: pem, format: 'pem', passphrase: passphrase ?? '' });
  } catch (cause) {
    if (pem.includes('ENCRYPTED'))
      throw new KeyRefused('wrong-passphrase', 'the private key is encrypted and the passphrase does not open it', {
        cause,
      });
    throw new KeyRefused('unreadable', 'not a private key in PEM', { cause });
  }
}

/** Throws KeyRefused. A private key is refused: whoever configures one as a public key has just published it. */
export function readPublicKey(pem: string): KeyObject {
  if (!pem.includes('-----BEGIN PUBLIC KEY-----') || pem.includes('PRIVATE KEY'))
    throw new KeyRefused('unreadable', 'not a public key in PEM (SubjectPublicKeyInfo, "BEGIN PUBLIC KEY")');
  try {
    return createPublicKey({ key: pem, format: 'pem' });
  } catch (cause) {
    throw new KeyRefused('unreadable', 'not a public key in PEM', { cause });
  }
}

/** The algorithm a key is for. There is no choice within a key type, so a key cannot be used with another algorithm. */
export function algorithmOf(key: KeyObject): KeyAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  throw new KeyRefused('wrong-algorithm', 'the key is neither Ed25519 nor P-256');
}

/** The key's name in tokens and envelopes: the first 16 hex digits of SHA-256 over its SPKI in DER. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

/** The one PEM text of a public key, whatever line ends or comments it was configured with. */
export function pemOf(publicKey: KeyObject): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
