import type { ApprovalStatement, TrustRoot, VerificationKey } from '../contracts/approval.ts';
import { JwsRefused, verifyCompactJws } from './jws.ts';
import { narrowApproval } from './approval-form.ts';

export const APPROVAL_TYPE = 'lazaret-approval+jws';

export type ApprovalRefusal =
  | 'bad-form'
  | 'unknown-key'
  | 'bad-signature'
  | 'not-the-signer'
  | 'not-vouched'
  | 'unknown-person'
  | 'role-not-held'
  | 'other-incident'
  | 'from-the-future'
  | 'stale'
  | 'nonce-used'
  | 'no-reason';

/** Why a person's word does not count. The message is a sentence for that person: Temporal's own page shows it as it is. */
export class ApprovalRefused extends Error {
  readonly reason: ApprovalRefusal;
  constructor(reason: ApprovalRefusal, message: string) {
    super(message);
    this.name = 'ApprovalRefused';
    this.reason = reason;
  }
}

export interface ApprovalContext {
  readonly incident: string;
  /** MUST come from the worker's configuration, never from the workflow's input. */
  readonly trust: TrustRoot;
  /** Milliseconds since the epoch: workflow time. */
  readonly now: number;
  readonly maxAgeMs: number;
  /** How far ahead of `now` the signer's clock may be. */
  readonly maxSkewMs: number;
  readonly usedNonces: ReadonlySet<string>;
}

interface Case extends ApprovalContext {
  readonly statement: ApprovalStatement;
  readonly kid: string;
  readonly voucher: boolean;
  readonly person: TrustRoot['people'][number] | undefined;
}

interface Check {
  readonly refuse: ApprovalRefusal;
  readonly when: (c: Case) => boolean;
  readonly because: (c: Case) => string;
}

/** What is checked once form and signature hold, in this order. */
const CHECKS: readonly Check[] = [
  {
    refuse: 'not-vouched',
    when: ({ voucher, kid, statement }) => voucher && statement.vouchedBy !== kid,
    because: () => 'The statement is signed by a service, but does not say that this service vouches for the person.',
  },
  {
    refuse: 'not-the-signer',
    when: ({ voucher, statement }) => !voucher && statement.vouchedBy !== null,
    because: () => 'The statement says that a service vouches for it, but a person signed it.',
  },
  {
    refuse: 'not-the-signer',
    when: ({ voucher, kid, trust, statement }) => !voucher && ownerOf(trust, kid) !== statement.person,
    because: ({ statement }) => `The key that signed the statement does not belong to ${statement.person}.`,
  },
  {
    refuse: 'unknown-person',
    when: ({ person }) => person === undefined,
    because: ({ statement }) => `${statement.person} is not among the people of the configuration.`,
  },
  {
    refuse: 'role-not-held',
    when: ({ person, statement }) => !person?.roles.includes(statement.role),
    because: ({ statement }) => `${statement.person} does not hold the role ${statement.role}.`,
  },
  {
    refuse: 'other-incident',
    when: ({ incident, statement }) => statement.incident !== incident,
    because: () => 'The statement is about another incident.',
  },
  {
    refuse: 'from-the-future',
    when: ({ now, maxSkewMs, statement }) => !(Date.parse(statement.issuedAt) <= now + maxSkewMs),
    because: () => 'The statement is dated in the future: check the clock where it was signed.',
  },
  {
    refuse: 'stale',
    when: ({ now, maxAgeMs, statement }) => !(now - Date.parse(statement.issuedAt) <= maxAgeMs),
    because: () => 'The statement is too old: sign it again.',
  },
  {
    refuse: 'nonce-used',
    when: ({ usedNonces, statement }) => usedNonces.has(statement.nonce),
    because: () => 'The statement has been handed in before.',
  },
  {
    refuse: 'no-reason',
    when: ({ statement }) => needsReason(statement.decision) && statement.reason.trim() === '',
    because: ({ statement }) => `To ${statement.decision} asks for a reason.`,
  },
];

/**
 * Verifies a signed approval and returns what it says. It does NOT decide whether the gate is open, whether the digest is the one the gate
 * shows, or whether this person has voted before: that is the gate's own state. Throws ApprovalRefused.
 */
export function verifyApproval(token: string, context: ApprovalContext): ApprovalStatement {
  const { trust } = context;
  const { payload, kid } = signed(token, [...trust.people.flatMap((person) => person.keys), ...trust.vouchers]);
  const statement = narrowApproval(payload);
  if (typeof statement === 'string') throw new ApprovalRefused('bad-form', statement);
  const voucher = trust.vouchers.some((key) => key.kid === kid);
  const person = trust.people.find((candidate) => candidate.id === statement.person);
  const file: Case = { ...context, statement, kid, voucher, person };
  const failed = CHECKS.find((check) => check.when(file));
  if (failed) throw new ApprovalRefused(failed.refuse, failed.because(file));
  return statement;
}

/** Everything but `approve` and `retry` asks for a recorded reason. */
export function needsReason(decision: ApprovalStatement['decision']): boolean {
  return decision !== 'approve' && decision !== 'retry';
}

function ownerOf(trust: TrustRoot, kid: string): string | undefined {
  return trust.people.find((person) => person.keys.some((key) => key.kid === kid))?.id;
}

function signed(token: string, keys: readonly VerificationKey[]): { payload: unknown; kid: string } {
  try {
    return verifyCompactJws(token, { typ: APPROVAL_TYPE, keys });
  } catch (error) {
    if (!(error instanceof JwsRefused)) throw error;
    throw new ApprovalRefused(refusalOf(error), `The statement is not accepted: ${error.message}.`);
  }
}

function refusalOf({ reason }: JwsRefused): ApprovalRefusal {
  if (reason === 'unknown-key' || reason === 'ambiguous-key') return 'unknown-key';
  return reason === 'bad-signature' || reason === 'wrong-algorithm' ? 'bad-signature' : 'bad-form';
}
