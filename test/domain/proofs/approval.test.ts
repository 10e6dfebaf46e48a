import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { approvalStatementSchema, type ApprovalStatement } from '../../../domain/contracts/approval.ts';
import { DECISIONS } from '../../../domain/proofs/decisions.ts';
import { narrowApproval } from '../../../domain/proofs/approval-form.ts';
import {
  APPROVAL_TYPE,
  ApprovalRefused,
  verifyApproval,
  type ApprovalContext,
} from '../../../domain/proofs/approval.ts';
import { generateKey } from '../../../evidence/keys/key-material.ts';
import { createSigner, publicKeyOf, signCompactJws } from '../../../evidence/keys/signer.ts';
import { verificationKeyOf } from '../../../evidence/keys/trusted-keys.ts';

const signer = (name: string, alg: 'EdDSA' | 'ES256' = 'EdDSA') =>
  createSigner({ name, privatePem: generateKey(alg).privatePem });
const ann = signer('ann');
const ben = signer('ben', 'ES256');
const api = signer('api');
const stranger = signer('stranger');
const keyOf = (of: typeof ann) => verificationKeyOf(publicKeyOf(of));

const NOW = Date.parse('2026-03-01T12:00:00Z');
const MINUTE = 60_000;
const context: ApprovalContext = {
  incident: 'inc-1',
  trust: {
    people: [
      { id: 'ann', name: 'Ann', roles: ['security-lead'], keys: [keyOf(ann)] },
      { id: 'ben', name: 'Ben', roles: ['model-owner', 'on-call'], keys: [keyOf(ben)] },
    ],
    vouchers: [keyOf(api)],
    gates: { plan: [['security-lead']], release: [['security-lead'], ['model-owner']], command: ['on-call'] },
  },
  now: NOW,
  maxAgeMs: 10 * MINUTE,
  maxSkewMs: MINUTE,
  usedNonces: new Set(['a-nonce-that-was-used']),
};
const statement: ApprovalStatement = {
  incident: 'inc-1',
  gate: 'release',
  digest: 'sha256:' + 'a'.repeat(64),
  decision: 'approve',
  reason: '',
  person: 'ann',
  role: 'security-lead',
  vouchedBy: null,
  issuedAt: '2026-03-01T11:59:00Z',
  nonce: '0123456789abcdef',
};
const token = (changes: object = {}, by = ann) => signCompactJws({ ...statement, ...changes }, APPROVAL_TYPE, by);
function refusal(text: string, changed: Partial<ApprovalContext> = {}): string {
  try {
    verifyApproval(text, { ...context, ...changed });
  } catch (error) {
    return error instanceof ApprovalRefused ? error.reason : String(error);
  }
  return 'accepted';
}

describe('an approval', () => {
  it('by a person with a key of their own is taken', () => {
    expect(verifyApproval(token(), context)).toEqual(statement);
    expect(refusal(token({ person: 'ben', role: 'model-owner' }, ben))).toBe('accepted');
  });

  it('that a voucher signed for the caller it authenticated is taken', () => {
    expect(refusal(token({ vouchedBy: api.kid }, api))).toBe('accepted');
  });

  it.each<[string, string, string]>([
    ['not-the-signer', 'in the name of somebody else', token({ person: 'ben', role: 'model-owner' })],
    ['not-the-signer', 'by a person who claims to be vouched for', token({ vouchedBy: api.kid })],
    ['not-the-signer', 'by a person who claims to vouch themselves', token({ vouchedBy: ann.kid })],
    ['not-vouched', 'by a voucher that does not say so', token({}, api)],
    ['not-vouched', 'by a voucher in the name of another', token({ vouchedBy: ann.kid }, api)],
    ['unknown-key', 'by a key nobody has', token({}, stranger)],
    ['unknown-person', 'vouched for a person who does not exist', token({ vouchedBy: api.kid, person: 'eve' }, api)],
    ['role-not-held', 'in a role the person does not hold', token({ role: 'model-owner' })],
    [
      'role-not-held',
      'vouched, in a role the person does not hold',
      token({ vouchedBy: api.kid, role: 'on-call' }, api),
    ],
    ['other-incident', 'about another incident', token({ incident: 'inc-2' })],
    ['stale', 'that is too old', token({ issuedAt: '2026-03-01T11:49:59Z' })],
    ['from-the-future', 'from the future', token({ issuedAt: '2026-03-01T12:01:01Z' })],
    ['nonce-used', 'that was handed in before', token({ nonce: 'a-nonce-that-was-used' })],
    ['no-reason', 'that rejects without a reason', token({ decision: 'reject', reason: '  ' })],
    ['no-reason', 'that skips without a reason', token({ gate: 'failed:recover', decision: 'skip' })],
    ['bad-form', 'with a member too many', token({ also: 'this' })],
    ['bad-form', 'with a decision that does not exist', token({ decision: 'APPROVE' })],
    ['bad-form', 'with a nonce that can be guessed', token({ nonce: '1' })],
    ['bad-form', 'dated on a day that does not exist', token({ issuedAt: '2026-02-30T11:59:00Z' })],
    ['bad-form', 'that is another kind of token', signCompactJws(statement, 'lazaret-stance+jws', ann)],
    ['bad-form', 'that is no token', 'approve'],
  ])('is refused (%s) %s', (reason, _how, text) => {
    expect(refusal(text)).toBe(reason);
  });

  it('is taken at the edges of its time', () => {
    expect(refusal(token({ issuedAt: '2026-03-01T11:50:00Z' }))).toBe('accepted');
    expect(refusal(token({ issuedAt: '2026-03-01T13:01:00+01:00' }))).toBe('accepted');
  });

  it('asks for a reason for everything but approve and retry', () => {
    for (const decision of DECISIONS) {
      const accepted = decision === 'approve' || decision === 'retry';
      expect(refusal(token({ decision, reason: '' }))).toBe(accepted ? 'accepted' : 'no-reason');
      expect(refusal(token({ decision, reason: 'because' }))).toBe('accepted');
    }
  });

  it('is refused with a key id that stands for a person and for a voucher', () => {
    const trust = { ...context.trust, vouchers: [keyOf(api), keyOf(ann)] };
    expect(refusal(token(), { trust })).toBe('unknown-key');
  });

  it('is refused when a person is found by a name that every object has', () => {
    expect(refusal(token({ vouchedBy: api.kid, person: 'constructor' }, api))).toBe('unknown-person');
    expect(refusal(token({ decision: 'toString' }))).toBe('bad-form');
  });

  it('is refused in a sentence that shows no path and no stack', () => {
    for (const text of [token({ role: 'model-owner' }), token({}, stranger), 'x.y.z', token({ nonce: '1' })]) {
      expect(() => verifyApproval(text, context)).toThrow(/^(The statement|ann) ?.*\.$/);
      expect(() => verifyApproval(text, context)).not.toThrow(/[/\\]|\bat\b /);
    }
  });

  it('is refused when any one bit is flipped', () => {
    const bytes = new TextEncoder().encode(token());
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(refusal(new TextDecoder('latin1').decode(changed))).not.toBe('accepted');
      }),
    );
  });
});

describe('the form without zod', () => {
  const odd = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom(null, undefined, 0, true, [], {}, 'failed:', 'failed:recover', 'plan', 'x'.repeat(2001), 'A-role'),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.constantFrom(
      '2026-02-29T00:00:00Z',
      '2028-02-29T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-01-01',
      '2026-01-01T00:00:00',
    ),
  );
  it('takes nothing that the schema refuses, and what the schema takes with whole seconds', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(statement), 'other'), odd, (name, value) => {
        const changed = { ...statement, [name]: value };
        const bySchema = approvalStatementSchema.safeParse(changed).success;
        expect({ changed, ok: typeof narrowApproval(changed) !== 'string' }).toEqual({ changed, ok: bySchema });
      }),
      { numRuns: 1000 },
    );
  });
});
