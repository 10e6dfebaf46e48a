import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeBase64, encodeBase64 } from '../../../domain/proofs/base64.ts';
import { decodeBase64url, encodeBase64url } from '../../../domain/proofs/base64url.ts';

describe('base64', () => {
  it('agrees with Node on every byte string', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
        expect(encodeBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
        expect([...decodeBase64(encodeBase64(bytes))]).toEqual([...bytes]);
        expect([...decodeBase64url(encodeBase64url(bytes))]).toEqual([...bytes]);
      }),
    );
  });

  it('has one text per byte string: whatever decodes, encodes to itself', () => {
    const text = fc.string({ unit: fc.constantFrom(...'AQgwZ09-_+/='), maxLength: 9 });
    const same =
      (decode: (text: string) => Uint8Array, encode: (bytes: Uint8Array) => string) => (candidate: string) => {
        let bytes: Uint8Array;
        try {
          bytes = decode(candidate);
        } catch (error) {
          return expect(error).toBeInstanceOf(TypeError);
        }
        expect(encode(bytes)).toBe(candidate);
      };
    fc.assert(fc.property(text, same(decodeBase64, encodeBase64)), { numRuns: 2000 });
    fc.assert(fc.property(text, same(decodeBase64url, encodeBase64url)), { numRuns: 2000 });
  });

  it.each(['AA', 'AA=', 'AAA', 'AB==', 'AAB=', 'A===', '====', 'AA==AA==', 'AA\n=', 'A-A=', 'AAA= '])(
    'refuses %j as base64',
    (text) => {
      expect(() => decodeBase64(text)).toThrow('not base64');
    },
  );

  it.each(['A', 'AA==', 'AB', 'AAB', 'A+A', 'AA A', 'AAAAA'])('refuses %j as base64url', (text) => {
    expect(() => decodeBase64url(text)).toThrow('not base64url');
  });
});
