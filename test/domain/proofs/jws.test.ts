import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sign, generateKeyPairSync } from 'node:crypto';
import { encodeBase64url } from '../../../domain/proofs/base64url.ts';
import { JwsRefused, MAX_JWS_CHARACTERS, verifyCompactJws, verifyRaw } from '../../../domain/proofs/jws.ts';
import { generateKey } from '../../../evidence/keys/key-material.ts';
import { createSigner, publicKeyOf, signCompactJws } from '../../../evidence/keys/signer.ts';
import { verificationKeyOf } from '../../../evidence/keys/trusted-keys.ts';
import type { Signer } from '../../../evidence/ports.ts';

const TYP = 'test+jws';
const signers = (['EdDSA', 'ES256'] as const).map((alg) =>
  createSigner({ name: alg, privatePem: generateKey(alg).privatePem }),
);
const keys = signers.map((signer) => verificationKeyOf(publicKeyOf(signer)));
const [ed, ec] = signers as [Signer, Signer];
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A token with any header and payload text, rightly signed: what a holder of a key can make. */
function forge(signer: Signer, header: string, payload: string): string {
  const input = `${encodeBase64url(utf8(header))}.${encodeBase64url(utf8(payload))}`;
  return `${input}.${encodeBase64url(signer.sign(utf8(input)))}`;
}
function reason(token: string, expected = { typ: TYP, keys }): string {
  try {
    verifyCompactJws(token, expected);
  } catch (error) {
    return error instanceof JwsRefused ? error.reason : String(error);
  }
  return 'accepted';
}

describe('compact JWS', () => {
  it.each(signers)('signed with $alg verify and give the payload back', (signer) => {
    const payload = { b: [1, 'é'], a: null };
    const verified = verifyCompactJws(signCompactJws(payload, TYP, signer), { typ: TYP, keys });
    expect(verified).toEqual({ header: { alg: signer.alg, kid: signer.kid, typ: TYP }, payload, kid: signer.kid });
  });

  it('check the example of RFC 8037, appendix A.4', () => {
    const raw = Buffer.from('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'base64url').toString('hex');
    const signature = 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg';
    const message = utf8('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc');
    expect(verifyRaw({ kid: 'rfc', alg: 'EdDSA', raw }, message, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it('check the example of RFC 7515, appendix A.3', () => {
    const [x, y] = ['f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU', 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'];
    const raw = `04${Buffer.from(`${x}`, 'base64url').toString('hex')}${Buffer.from(`${y}`, 'base64url').toString('hex')}`;
    const signature = 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q';
    const message = utf8(
      'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
    );
    expect(verifyRaw({ kid: 'rfc', alg: 'ES256', raw }, message, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it.each(signers)('of $alg are refused when any one bit is flipped', (signer) => {
    const token = utf8(signCompactJws({ decision: 'approve' }, TYP, signer));
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.nat(7), (at, bit) => {
        const changed = Uint8Array.from(token);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(reason(new TextDecoder('latin1').decode(changed))).not.toBe('accepted');
      }),
      { numRuns: 150 },
    );
  });

  it('are refused when they bring what the verifier does not know', () => {
    const base = { alg: 'EdDSA', kid: ed.kid, typ: TYP };
    for (const extra of [{ crit: ['b64'] }, { b64: false }, { jwk: {} }, { jku: 'a' }, { x5c: [] }, { cty: 'x' }]) {
      expect(reason(forge(ed, JSON.stringify({ ...base, ...extra }), '{}'))).toBe('bad-header');
    }
    for (const missing of [
      { alg: 'EdDSA', kid: ed.kid },
      { alg: 'EdDSA', typ: TYP },
      { kid: ed.kid, typ: TYP },
    ]) {
      expect(reason(forge(ed, JSON.stringify(missing), '{}'))).toBe('bad-header');
    }
    for (const alg of ['none', 'HS256', 'eddsa', 'ES384', null]) {
      expect(reason(forge(ed, JSON.stringify({ ...base, alg }), '{}'))).toBe('bad-header');
    }
    expect(reason(forge(ed, '[]', '{}'))).toBe('bad-header');
    expect(reason(forge(ed, `\ufeff${JSON.stringify(base)}`, '{}'))).toBe('bad-header');
  });

  it('cannot name a member twice to show two readers two things', () => {
    const header = JSON.stringify({ alg: 'EdDSA', kid: ed.kid, typ: TYP });
    expect(reason(forge(ed, `{"kid":"other",${header.slice(1)}`, '{}'))).toBe('bad-header');
    expect(reason(forge(ed, header, '{"decision":"reject","decision":"approve"}'))).toBe('bad-payload');
    expect(reason(forge(ed, header, '{"decision":"reject","d\\u0065cision":"approve"}'))).toBe('bad-payload');
  });

  it('cannot choose the algorithm: it is the key that has one', () => {
    const asEc = JSON.stringify({ alg: 'ES256', kid: ed.kid, typ: TYP });
    expect(reason(forge(ed, asEc, '{}'))).toBe('wrong-algorithm');
    expect(reason(forge(ec, asEc, '{}'))).toBe('wrong-algorithm');
  });

  it('of another type, an unknown key or a key id that two keys share are refused', () => {
    const token = signCompactJws({}, 'other+jws', ed);
    expect(reason(token)).toBe('wrong-type');
    expect(reason(signCompactJws({}, TYP, ed), { typ: TYP, keys: keys.filter((key) => key.kid !== ed.kid) })).toBe(
      'unknown-key',
    );
    expect(reason(signCompactJws({}, TYP, ed), { typ: TYP, keys: [...keys, ...keys] })).toBe('ambiguous-key');
  });

  it('that are not three parts of strict base64url, or too long, are refused', () => {
    const token = signCompactJws({}, TYP, ed);
    for (const text of ['', '.', '..', 'a.b', `${token}.`, `${token}.a`, ` ${token}`, `${token}\n`, `${token}=`]) {
      expect(['malformed', 'bad-header']).toContain(reason(text));
    }
    expect(reason(`${token}${'A'.repeat(MAX_JWS_CHARACTERS)}`)).toBe('too-long');
    expect(() => signCompactJws({ text: 'x'.repeat(MAX_JWS_CHARACTERS) }, TYP, ed)).toThrow(RangeError);
  });

  it('take ES256 signatures with a high s, which OpenSSL and key services make, but not DER ones', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const key = verificationKeyOf({ kid: 'k', alg: 'ES256', publicKey: pem });
    const message = utf8('message');
    for (let round = 0; round < 20; round += 1) {
      const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
      expect(verifyRaw(key, message, signature)).toBe(true);
    }
    expect(verifyRaw(key, message, sign('sha256', message, privateKey))).toBe(false);
  });

  it('do not verify with the small-order key that makes every Ed25519 message look signed', () => {
    // Identity point as key and R, s = 0: the cofactored check of ZIP 215 accepts it, RFC 8032's strict one must not.
    const raw = `01${'00'.repeat(31)}`;
    const signature = Uint8Array.from(Buffer.from(raw + '00'.repeat(32), 'hex'));
    expect(verifyRaw({ kid: 'weak', alg: 'EdDSA', raw }, utf8('anything'), signature)).toBe(false);
  });
});
