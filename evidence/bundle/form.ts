import { z } from 'zod';
import type { TrustRoot } from '../../domain/contracts/approval.ts';
import type { LogHead } from '../../domain/contracts/case-log.ts';
import { digestSchema, objectRefSchema } from '../../domain/contracts/object-ref.ts';
import type { ReleaseSubject } from '../../domain/contracts/plan.ts';
import { trustFileSchema } from '../../domain/contracts/trust.ts';
import { OUTCOMES } from '../../domain/incident/kinds.ts';
import { hexOf, type Digest } from '../../domain/proofs/digest.ts';

/**
 * What a bundle holds:
 *
 * | file | what |
 * |---|---|
 * | `README.txt` | what this is and how to check it |
 * | `case.json` | BundleCase: what the incident was, and what the objects are |
 * | `keys.json` | BundleKeys: the public keys of machines and people |
 * | `log/<seq, 8 digits>.json` | the case log's entries, canonical JSON |
 * | `checkpoint.txt` | the signed note over the log's root |
 * | `objects/<hex>` | the evidence, by SHA-256 |
 * | `manifest.json` | BundleManifest: every other file but the next, canonical JSON |
 * | `manifest.jws` | compact JWS of ManifestStatement by the sealing key (use `bundle`) |
 */
export const FILES = {
  readme: 'README.txt',
  case: 'case.json',
  keys: 'keys.json',
  checkpoint: 'checkpoint.txt',
  manifest: 'manifest.json',
  signature: 'manifest.jws',
  entry: (seq: number) => `log/${String(seq).padStart(8, '0')}.json`,
  object: (digest: Digest) => `objects/${hexOf(digest)}`,
} as const;

export const MANIFEST_TYPE = 'lazaret-bundle+jws';

const headSchema: z.ZodType<LogHead> = z.strictObject({
  size: z.number().int().positive().max(1_000_000),
  root: z.string().regex(/^[0-9a-f]{64}$/),
});

export const manifestSchema = z.strictObject({
  schema: z.literal('lazaret.bundle-manifest/v1'),
  files: z.array(z.strictObject({ path: z.string(), bytes: z.number().int().nonnegative(), digest: digestSchema })),
});
export type BundleManifest = z.infer<typeof manifestSchema>;

export const manifestStatementSchema = z.strictObject({
  manifest: digestSchema,
  incident: z.string(),
  head: headSchema,
});
export type ManifestStatement = z.infer<typeof manifestStatementSchema>;

const releaseSubjectSchema: z.ZodType<ReleaseSubject> = z.strictObject({
  schema: z.literal('lazaret.release/v1'),
  incident: z.string(),
  artifact: digestSchema,
  validation: digestSchema,
  evidenceRoot: z.string(),
  evidenceSize: z.number().int().nonnegative(),
});

/** Why an object that is named is not in the bundle. */
export const ABSENCES = {
  'not-in-store': 'the store does not have it',
  damaged: 'what the store has under this digest are other bytes',
  'too-large': 'it is too large for a bundle: check it by its digest where it is kept',
  'data-records': 'training records stay in the store: their digests and record roots are in the manifests',
} as const;
export type Absence = keyof typeof ABSENCES;

export const bundleCaseSchema = z.strictObject({
  schema: z.literal('lazaret.bundle/v1'),
  incident: z.string().min(1).max(200),
  endpoint: z.string(),
  /** null while the incident is open. */
  outcome: z.enum(OUTCOMES).nullable(),
  head: headSchema,
  createdAt: z.iso.datetime({ offset: true }),
  objects: z.array(z.strictObject({ ref: objectRefSchema, purpose: z.string() })),
  /** `named`: by the log itself, or by an object that the log names. */
  absent: z.array(
    z.strictObject({
      digest: digestSchema,
      named: z.enum(['log', 'object']),
      reason: z.enum(['not-in-store', 'damaged', 'too-large', 'data-records']),
      purpose: z.string(),
    }),
  ),
  release: z
    .strictObject({
      /** What two people signed the digest of. */
      subject: releaseSubjectSchema,
      artifact: objectRefSchema,
      /** OMS bundle over the artifact as `model.onnx`. */
      signature: objectRefSchema,
      /** DSSE envelope of the SLSA provenance; null where the model was not trained by the station. */
      provenance: objectRefSchema.nullable(),
    })
    .nullable(),
});
export type BundleCase = z.infer<typeof bundleCaseSchema>;

const rolesSchema = z.array(z.array(z.string()));
const rawKeySchema = z.strictObject({ kid: z.string(), alg: z.enum(['EdDSA', 'ES256']), raw: z.string() });
const trustRootSchema: z.ZodType<TrustRoot> = z.strictObject({
  people: z.array(
    z.strictObject({ id: z.string(), name: z.string(), roles: z.array(z.string()), keys: z.array(rawKeySchema) }),
  ),
  vouchers: z.array(rawKeySchema),
  gates: z.strictObject({ plan: rolesSchema, release: rolesSchema, command: z.array(z.string()) }),
});

export const bundleKeysSchema = z.strictObject({
  schema: z.literal('lazaret.bundle-keys/v1'),
  machines: trustFileSchema,
  people: trustRootSchema,
});
export type BundleKeys = z.infer<typeof bundleKeysSchema>;
