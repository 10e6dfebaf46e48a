import { z } from 'zod';
import { DECISIONS } from '../proofs/decisions.ts';

/** Where a person's word is asked for. `failed:<phase>` opens when a phase cannot go on by itself; `incident` takes `cancel` and severities at any time. */
export const gateSchema = z.union([
  z.enum(['plan', 'release', 'incident']),
  z.templateLiteral(['failed:', z.string()]),
]);
export type Gate = z.infer<typeof gateSchema>;

/** Role names are the organisation's own; these two are what the release gate asks for by default. */
export const roleSchema = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/);

/**
 * The payload of an approval: a compact JWS with `typ: lazaret-approval+jws`, alg EdDSA or ES256, `kid` of a key of `person`,
 * or of a voucher (then `vouchedBy` names it: the API vouches for a caller it authenticated).
 */
export const approvalStatementSchema = z.strictObject({
  incident: z.string().min(1).max(200),
  gate: gateSchema,
  /** Digest of what is decided upon, as the gate shows it. */
  digest: z.string().min(1).max(200),
  decision: z.enum(DECISIONS),
  /** Required for everything but `approve` and `retry`. */
  reason: z.string().max(2000),
  person: z.string().min(1).max(100),
  role: roleSchema,
  vouchedBy: z.string().min(1).max(100).nullable(),
  /** RFC 3339, UTC. */
  issuedAt: z.iso.datetime({ offset: true }),
  /** At least 16 characters of randomness; a nonce counts once per incident. */
  nonce: z.string().min(16).max(100),
});
export type ApprovalStatement = z.infer<typeof approvalStatementSchema>;

/** A public key as configured: `publicKey` is the PEM of a SubjectPublicKeyInfo. */
export const publicKeySchema = z.object({
  kid: z.string().min(1).max(100),
  alg: z.enum(['EdDSA', 'ES256']),
  publicKey: z.string().min(1),
});
export type PublicKey = z.infer<typeof publicKeySchema>;

/** Keys in the form a workflow can use without parsing PEM: `raw` is hex (32 bytes Ed25519, 65 bytes uncompressed P-256). */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: 'EdDSA' | 'ES256';
  readonly raw: string;
}

/** Who may decide what. Comes from the worker's configuration, never from a workflow's input: whoever can start a workflow could bring their own keys. */
export interface TrustRoot {
  readonly people: readonly {
    readonly id: string;
    readonly name: string;
    readonly roles: readonly string[];
    readonly keys: readonly VerificationKey[];
  }[];
  readonly vouchers: readonly VerificationKey[];
  /** For each gate: each inner list asks for one person who holds one of its roles; all people must differ. */
  readonly gates: {
    readonly plan: readonly (readonly string[])[];
    readonly release: readonly (readonly string[])[];
    /** Who may retry, skip, abort, cancel or set the severity. */
    readonly command: readonly string[];
  };
}
