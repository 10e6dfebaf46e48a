import { describe, expect, it } from '@jest/globals';
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { verifyCompactJws } from '../../domain/proofs/jws.ts';
import { generateKey, KeyRefused } from '../../evidence/keys/key-material.ts';
import { createSigner, publicKeyOf, signCompactJws, trustedKeyOf } from '../../evidence/keys/signer.ts';
import {
  loadTrustFile,
  trustFileOf,
  verificationKeyOf,
  verificationKeysFor,
  verifyBy,
} from '../../evidence/keys/trusted-keys.ts';

const ALGORITHMS = ['EdDSA', 'ES256'] as const;
const message = new TextEncoder().encode('message');

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof KeyRefused ? error.reason : String(error);
  }
  return 'accepted';
}
const signerOf = (alg: 'EdDSA' | 'ES256', name: string = alg) =>
  createSigner({ name, privatePem: generateKey(alg).privatePem });

describe('keys', () => {
  it.each(ALGORITHMS)('of %s sign what Node itself verifies', (alg) => {
    const { privatePem, publicPem } = generateKey(alg);
    const signer = createSigner({ name: 'station', privatePem });
    expect(signer).toMatchObject({ name: 'station', alg, publicKeyPem: publicPem });
    const signature = signer.sign(message);
    expect(signature).toHaveLength(64);
    const key = createPublicKey(publicPem);
    const digest = alg === 'EdDSA' ? null : 'sha256';
    expect(verify(digest, message, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
    const spki = key.export({ type: 'spki', format: 'der' });
    expect(signer.kid).toBe(createHash('sha256').update(spki).digest('hex').slice(0, 16));
  });

  it('of P-256 sign in DER where a format asks for it, those of Ed25519 never', () => {
    const signer = signerOf('ES256');
    expect(verifyBy(trustedKeyOf(signer, ['model']), message, signer.sign(message, { der: true }))).toBe(true);
    expect(verifyBy(trustedKeyOf(signer, ['model']), message, signer.sign(message))).toBe(false);
    expect(() => signerOf('EdDSA').sign(message, { der: true })).toThrow(TypeError);
  });

  it.each(ALGORITHMS)('of %s open with their passphrase only', (alg) => {
    const { privatePem } = generateKey(alg, { passphrase: 'correct horse' });
    expect(privatePem).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(createSigner({ name: 'ann', privatePem, passphrase: 'correct horse' }).alg).toBe(alg);
    expect(refusal(() => createSigner({ name: 'ann', privatePem, passphrase: 'wrong' }))).toBe('wrong-passphrase');
    expect(refusal(() => createSigner({ name: 'ann', privatePem }))).toBe('wrong-passphrase');
  });

  it('of other curves and kinds are refused', () => {
    for (const { privateKey } of [
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ed448'),
    ]) {
      const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      expect(refusal(() => createSigner({ name: 'x', privatePem }))).toBe('wrong-algorithm');
    }
    expect(refusal(() => createSigner({ name: 'x', privatePem: 'no key' }))).toBe('unreadable');
  });

  it('do not show their secret when a signer is logged', () => {
    const { privatePem } = generateKey('EdDSA');
    const secret = privatePem.split('\n')[1] ?? '';
    const signer = createSigner({ name: 'x', privatePem });
    expect(inspect(signer, { depth: 9 }) + JSON.stringify(signer)).not.toContain(secret);
  });

  it.each(ALGORITHMS)('of %s verify inside a workflow after PEM is turned into raw hex', (alg) => {
    const signer = signerOf(alg);
    const key = verificationKeyOf(publicKeyOf(signer));
    expect(key.raw).toMatch(alg === 'EdDSA' ? /^[0-9a-f]{64}$/ : /^04[0-9a-f]{128}$/);
    expect(verificationKeyOf(trustedKeyOf(signer, ['golden']))).toEqual(key);
    expect(verifyCompactJws(signCompactJws([1], 't', signer), { typ: 't', keys: [key] }).payload).toEqual([1]);
  });

  it('listed with the wrong algorithm, or private ones listed as public, are refused', () => {
    const listed = publicKeyOf(signerOf('ES256'));
    expect(refusal(() => verificationKeyOf({ ...listed, alg: 'EdDSA' }))).toBe('wrong-algorithm');
    expect(refusal(() => verificationKeyOf({ ...listed, publicKey: generateKey('ES256').privatePem }))).toBe(
      'unreadable',
    );
    expect(refusal(() => verificationKeyOf({ ...listed, publicKey: 'no key' }))).toBe('unreadable');
  });
});

describe('the trust file', () => {
  const keys = [
    trustedKeyOf(signerOf('ES256', 'registry'), ['model', 'golden']),
    trustedKeyOf(signerOf('EdDSA', 'responder'), ['stance:respond']),
  ];
  const file = trustFileOf(keys);

  it('comes back as it was written, from text and from the parsed value', () => {
    expect(loadTrustFile(file)).toEqual(keys);
    expect(loadTrustFile(JSON.stringify(file))).toEqual(keys);
  });

  it('gives a verifier the keys of one use only', () => {
    expect(verificationKeysFor(keys, 'golden').map((key) => key.kid)).toEqual([keys[0]?.kid]);
    expect(verificationKeysFor(keys, 'vouch')).toEqual([]);
  });

  it('gives a key one PEM text, whatever the line ends it was written with', () => {
    const windows = file.keys.map((key) => ({ ...key, publicKey: key.publicKey.replaceAll('\n', '\r\n') }));
    expect(loadTrustFile({ ...file, keys: windows })).toEqual(keys);
  });

  it('is refused when a key is not the one its id or algorithm says', () => {
    const [first, second] = file.keys;
    const withFirst = (changes: object) => ({ ...file, keys: [{ ...first, ...changes }, second] });
    expect(refusal(() => loadTrustFile(withFirst({ kid: second?.kid })))).toBe('wrong-kid');
    expect(refusal(() => loadTrustFile(withFirst({ publicKey: generateKey('ES256').publicPem })))).toBe('wrong-kid');
    expect(refusal(() => loadTrustFile(withFirst({ alg: 'EdDSA' })))).toBe('wrong-algorithm');
    expect(refusal(() => loadTrustFile({ ...file, keys: [first, first] }))).toBe('repeated-kid');
  });

  it('is refused when its form is wrong, and says where', () => {
    expect(refusal(() => loadTrustFile('{'))).toBe('bad-file');
    expect(refusal(() => loadTrustFile({ ...file, keys: [] }))).toBe('bad-file');
    expect(() => loadTrustFile({ ...file, keys: [{ ...file.keys[0], uses: ['everything'] }] })).toThrow('keys.0.uses');
  });
});
