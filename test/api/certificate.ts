import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A length and a value after their tag, as DER writes them. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const size = value.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

const SEQUENCE = 0x30;
const oid = (...bytes: number[]): Buffer => der(0x06, Buffer.from(bytes));
const SHA256_WITH_RSA = der(SEQUENCE, oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b), der(0x05));

function name(common: string): Buffer {
  const attribute = der(SEQUENCE, oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(common)));
  return der(SEQUENCE, der(0x31, attribute));
}

const utc = (date: Date): Buffer => der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`));

/** A certificate that a key signs for itself (X.509 v3, RFC 5280), because Node makes none. */
export function selfSigned(common: string, key: KeyObject, publicDer: Uint8Array, from: Date, to: Date): string {
  const tbs = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    SHA256_WITH_RSA,
    name(common),
    der(SEQUENCE, utc(from), utc(to)),
    name(common),
    publicDer,
  );
  const signature = sign('RSA-SHA256', tbs, key);
  const whole = der(SEQUENCE, tbs, SHA256_WITH_RSA, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** An RSA key and a certificate over it. */
export function authority(bits: number, from: Date, to: Date): { key: KeyObject; pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const key = createPrivateKey(privateKey);
  return { key, pem: selfSigned('sns.amazonaws.com', key, publicKey, from, to) };
}
