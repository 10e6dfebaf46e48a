import { z } from 'zod';
import {
  approvalStatementSchema,
  gateSchema,
  roleSchema,
  type ApprovalStatement,
} from '../../domain/contracts/approval.ts';
import { DECISIONS } from '../../domain/proofs/decisions.ts';
import type { Person } from '../../domain/contracts/configuration.ts';
import { APPROVAL_TYPE } from '../../domain/proofs/approval.ts';
import type { ApiDeps } from '../ports.ts';
import { Problem } from '../problem.ts';

/** A decision of the caller, for which the API vouches. */
export const vouchedDecisionSchema = z.strictObject({
  gate: gateSchema,
  digest: z.string().min(1).max(200),
  decision: z.enum(DECISIONS),
  reason: z.string().max(2000).default(''),
  role: roleSchema,
});

/** A statement that a person signed with a key of their own. */
export const signedDecisionSchema = z.strictObject({
  statement: z
    .string()
    .max(16 * 1024)
    .regex(/^[\w-]+\.[\w-]+\.[\w-]+$/, 'expected a compact JWS'),
});

export const decisionSchema = z.union([signedDecisionSchema, vouchedDecisionSchema]);

/**
 * Signs what the authenticated caller decided. The person of the statement is always the caller, never what the body says; the workflow
 * checks the role again, against its own trust root.
 */
export function vouchFor(
  person: Person,
  incident: string,
  decision: z.infer<typeof vouchedDecisionSchema>,
  deps: Pick<ApiDeps, 'voucher' | 'signStatement' | 'clock' | 'randomToken'>,
): string {
  if (!person.roles.includes(decision.role)) {
    throw new Problem('not-allowed', `You do not hold the role ${decision.role}; yours: ${person.roles.join(', ')}.`);
  }
  const statement: ApprovalStatement = {
    incident,
    ...decision,
    person: person.id,
    vouchedBy: deps.voucher.kid,
    issuedAt: deps.clock().toISOString(),
    nonce: deps.randomToken(),
  };
  return deps.signStatement(approvalStatementSchema.parse(statement), APPROVAL_TYPE, deps.voucher);
}
