import { z } from 'zod';
import { isDigest, type Digest } from '../proofs/digest.ts';

export const digestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), {
  error: 'expected a digest of the form sha256:<64 lowercase hex digits>',
});

/**
 * A reference to content-addressed bytes in S3. Activities exchange references, never payloads (Temporal refuses blobs over 2 MiB).
 * The key is derived from the digest (`objectKey`), so a reference cannot name one object and mean another.
 *
 * `evidence` is the bucket whose objects are written once under Object Lock in COMPLIANCE mode;
 * `artifacts` holds models, data sets and everything that a later version may replace.
 */
export const objectRefSchema = z.object({
  store: z.enum(['evidence', 'artifacts']),
  digest: digestSchema,
  bytes: z.number().int().nonnegative(),
  mediaType: z.string().min(1).max(127),
  /** A file name for people, e.g. `model.onnx`; never used to find the object. */
  name: z.string().min(1).max(255),
});
export type ObjectRef = z.infer<typeof objectRefSchema>;
export type ObjectStore = ObjectRef['store'];

/** `objects/sha256/<hex>`, the key of every content-addressed object in either bucket. */
export function objectKey(digest: Digest): string {
  return `objects/sha256/${digest.slice('sha256:'.length)}`;
}
