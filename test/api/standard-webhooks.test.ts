import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TOLERANCE_SECONDS, verifyWebhook } from '../../api/intake/standard-webhooks.ts';
import { signWebhook, webhookKey } from '../../evidence/keys/webhook-signature.ts';

const NOW = 1_780_000_000;
const KEY = Buffer.from('0123456789abcdef0123456789abcdef');
const flip = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};
const delivery = (body: string, id = 'msg_1', timestamp = String(NOW)) => {
  const bytes = Buffer.from(body);
  return { id, timestamp, signature: signWebhook(KEY, id, timestamp, bytes), body: bytes };
};

describe('Standard Webhooks', () => {
  it('agrees with the example of the specification', () => {
    // https://github.com/standard-webhooks/standard-webhooks, libraries' test vector.
    const key = webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    if (!key) throw new Error('the secret was not read');
    const signature = signWebhook(
      key,
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      '1614265330',
      Buffer.from('{"test": 2432232314}'),
    );
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('accepts its own signature, also among several and of other versions', () => {
    const { body, ...headers } = delivery('{}');
    expect(verifyWebhook(KEY, headers, body, NOW * 1000)).toEqual({ ok: true, id: 'msg_1' });
    const several = { ...headers, signature: `v1a,AAAA v1,${'A'.repeat(43)}= ${headers.signature}` };
    expect(verifyWebhook(KEY, several, body, NOW * 1000).ok).toBe(true);
  });

  it('refuses a delivery with any one bit flipped in body, id, timestamp or signature', () => {
    const part = fc.constantFrom('body' as const, 'id' as const, 'timestamp' as const, 'signature' as const);
    fc.assert(
      fc.property(fc.json(), part, fc.nat(), (text, which, at) => {
        const original = delivery(text);
        const bytes = which === 'body' ? original.body : Buffer.from(original[which], 'latin1');
        const flipped = flip(bytes, at % (bytes.length * 8));
        const changed =
          which === 'body' ? { ...original, body: flipped } : { ...original, [which]: flipped.toString('latin1') };
        return !verifyWebhook(KEY, changed, changed.body, NOW * 1000).ok;
      }),
      { numRuns: 500 },
    );
  });

  it('refuses every flip of the last characters of the signature, where base64 has spare bits', () => {
    const { body, ...headers } = delivery('{}');
    const bytes = Buffer.from(headers.signature, 'latin1');
    for (let bit = (bytes.length - 3) * 8; bit < bytes.length * 8; bit += 1) {
      const signature = flip(bytes, bit).toString('latin1');
      expect(verifyWebhook(KEY, { ...headers, signature }, body, NOW * 1000).ok).toBe(false);
    }
  });

  it('refuses another split of the same text', () => {
    const { signature } = delivery('0.{}', 'msg_1', String(NOW));
    expect(
      verifyWebhook(KEY, { id: `msg_1.${NOW}`, timestamp: '0', signature }, Buffer.from('{}'), NOW * 1000).ok,
    ).toBe(false);
  });

  it('holds the window on both sides, to the second', () => {
    const { body, ...headers } = delivery('{}');
    for (const [offset, ok] of [
      [TOLERANCE_SECONDS, true],
      [-TOLERANCE_SECONDS, true],
      [TOLERANCE_SECONDS + 1, false],
      [-TOLERANCE_SECONDS - 1, false],
    ] as const) {
      expect(verifyWebhook(KEY, headers, body, (NOW + offset) * 1000).ok).toBe(ok);
    }
  });

  it('takes only secrets that are long enough', () => {
    expect(webhookKey('whsec_c2hvcnQ=')).toBeNull();
    expect(webhookKey(KEY.toString('base64'))).toBeNull();
    expect(webhookKey(`whsec_${KEY.toString('base64')}`)).toEqual(KEY);
  });
});
