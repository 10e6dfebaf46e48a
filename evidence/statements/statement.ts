import { z } from 'zod';
import type { KeyUse } from '../../domain/contracts/trust.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { decodeUtf8, parseStrictJson } from '../../domain/proofs/strict-json.ts';
import { verifyBy } from '../keys/trusted-keys.ts';
import type { Signer, TrustedKey } from '../ports.ts';
import { envelopeSchema, openEnvelope, sealEnvelope } from './dsse.ts';

/** in-toto Attestation Framework, Statement v1 (in-toto/attestation, spec/v1/statement.md and resource_descriptor.md). */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

export const digestSetSchema = z.strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

export const resourceDescriptorSchema = z.strictObject({
  name: z.string().min(1),
  uri: z.string().min(1).optional(),
  digest: digestSetSchema,
  mediaType: z.string().min(1).optional(),
  annotations: z.record(z.string(), z.unknown()).optional(),
});
export type ResourceDescriptor = z.infer<typeof resourceDescriptorSchema>;

export const statementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(resourceDescriptorSchema).min(1),
  predicateType: z.string().min(1),
  predicate: z.record(z.string(), z.unknown()),
});
export type Statement = z.infer<typeof statementSchema>;

export type StatementRefusal = 'not-an-envelope' | 'unknown-key' | 'wrong-use' | 'bad-signature' | 'not-a-statement';

export class StatementRefused extends Error {
  readonly reason: StatementRefusal;
  constructor(reason: StatementRefusal, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StatementRefused';
    this.reason = reason;
  }
}

/** DSSE envelope (JSON, UTF-8) over the canonical JSON of the statement. P-256 signatures in DER, as in-toto's own tools make them. */
export function signStatement(statement: Statement, signer: Signer): Uint8Array {
  const payload = new TextEncoder().encode(canonicalJson(statementSchema.parse(statement)));
  const envelope = sealEnvelope(payload, signer.kid, (message) =>
    signer.sign(message, { der: signer.alg === 'ES256' }),
  );
  return new TextEncoder().encode(canonicalJson(envelope));
}

/**
 * Checks, in this order: envelope, key (one of `keys`, named by `keyid`), its use, signature, statement. The envelope is an attacker's text
 * until the signature holds; `keyid` only says which trusted key to try. Throws StatementRefused.
 */
export function verifyStatement(envelope: Uint8Array, keys: readonly TrustedKey[], use: KeyUse): Statement {
  const { keyid, payload, message, signature } = readEnvelope(envelope);
  const key = keys.find((candidate) => candidate.kid === keyid);
  if (!key) throw new StatementRefused('unknown-key', 'the key that signed the statement is not trusted');
  if (!key.uses.includes(use))
    throw new StatementRefused('wrong-use', `the key "${key.name}" is not trusted for ${use}`);
  if (!verifyBy(key, message, signature))
    throw new StatementRefused('bad-signature', 'the signature of the statement does not verify');
  try {
    return statementSchema.parse(parseStrictJson(decodeUtf8(payload)));
  } catch (cause) {
    throw new StatementRefused('not-a-statement', 'the signed payload is not an in-toto statement v1', { cause });
  }
}

function readEnvelope(bytes: Uint8Array): { keyid: string | null | undefined } & ReturnType<typeof openEnvelope> {
  try {
    const envelope = envelopeSchema.parse(parseStrictJson(decodeUtf8(bytes)));
    return { keyid: envelope.signatures[0].keyid, ...openEnvelope(envelope) };
  } catch (cause) {
    throw new StatementRefused('not-an-envelope', 'not a DSSE envelope with one signature over an in-toto statement', {
      cause,
    });
  }
}
