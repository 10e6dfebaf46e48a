import { createHash } from 'node:crypto';
import { z } from 'zod';
import { pemOf, readPublicKey } from '../keys/key-material.ts';
import { envelopeSchema } from '../statements/dsse.ts';
import { STATEMENT_TYPE } from '../statements/statement.ts';

/** OpenSSF Model Signing (OMS) v1.0, ossf/model-signing-spec: a Sigstore bundle with a DSSE envelope over an in-toto statement. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
export const OMS_PREDICATE = 'https://model_signing/signature/v1.0';

/**
 * Method `key` of section 4.1 only. Transparency log entries belong to the method `sigstore`: here they could only pretend, so the list is
 * empty or absent. Bundles older than v1.1.0 of the reference implementation name their key by `rawBytes` and are refused.
 */
export const bundleSchema = z.strictObject({
  mediaType: z.literal(BUNDLE_MEDIA_TYPE),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: z.string().regex(/^[0-9a-f]{64}$/) }),
    tlogEntries: z.array(z.unknown()).max(0).optional(),
  }),
  dsseEnvelope: envelopeSchema,
});
export type Bundle = z.infer<typeof bundleSchema>;

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** Sections 5 and 8.3. Unknown members of resources and of the subject are ignored, as the specification demands; elsewhere refused. */
export const omsStatementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([z.object({ name: z.string().min(1), digest: z.object({ sha256: hash }) })]),
  predicateType: z.literal(OMS_PREDICATE),
  predicate: z.strictObject({
    resources: z.array(z.object({ name: z.string().min(1), digest: z.string(), algorithm: z.string() })).min(1),
    serialization: z.strictObject({
      method: z.string(),
      hash_type: z.string(),
      shard_size: z.number().int().positive().optional(),
      allow_symlinks: z.boolean(),
      ignore_paths: z.array(z.string().min(1)).optional(),
    }),
  }),
});
export type OmsStatement = z.infer<typeof omsStatementSchema>;

/** `publicKey.hint`: hex SHA-256 of the PEM SPKI text of the key. */
export function hintOf(publicKeyPem: string): string {
  return createHash('sha256')
    .update(pemOf(readPublicKey(publicKeyPem)))
    .digest('hex');
}
