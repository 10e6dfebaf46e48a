import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { verifyRaw } from '../../domain/proofs/jws.ts';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { checkNatively } from '../../evidence/keys/native-check.ts';
import { createSigner, publicKeyOf } from '../../evidence/keys/signer.ts';
import { verificationKeyOf } from '../../evidence/keys/trusted-keys.ts';

describe.each(['EdDSA', 'ES256'] as const)('the native check of %s', (alg) => {
  const signer = createSigner({ name: 'a', privatePem: generateKey(alg).privatePem });
  const key = verificationKeyOf(publicKeyOf(signer));

  it('answers as the pure one does, for whole and for changed messages and signatures', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(63), fc.nat(255), (message, place, flip) => {
        const signature = signer.sign(message);
        expect(checkNatively(key, message, signature)).toBe(true);
        const changed = Uint8Array.from(signature);
        changed[place]! ^= flip;
        expect(checkNatively(key, message, changed)).toBe(verifyRaw(key, message, changed));
        const other = Uint8Array.from(message);
        other[0]! ^= 1;
        expect(checkNatively(key, other, signature)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  it('is false for a signature of another length and for a key that is none', () => {
    expect(checkNatively(key, new Uint8Array(3), new Uint8Array(63))).toBe(false);
    expect(checkNatively({ ...key, raw: '00' }, new Uint8Array(3), new Uint8Array(64))).toBe(false);
  });
});
