import { z } from 'zod';
import { publicKeySchema } from './approval.ts';

/**
 * What a key may do. `model` vouches for model bytes (OMS), `dataset` for manifests, `provenance` for training runs, `golden` for registry
 * records, `stance:respond` for any stance, `stance:deploy` for stances outside an incident, `case-log` for checkpoints,
 * `bundle` for exported bundles (so that the API's key cannot sign a checkpoint), `vouch` for callers.
 */
export const KEY_USES = [
  'model',
  'dataset',
  'provenance',
  'golden',
  'stance:respond',
  'stance:deploy',
  'case-log',
  'bundle',
  'vouch',
] as const;
export type KeyUse = (typeof KEY_USES)[number];

/** `trust.json`, the public keys of the machines; people's keys are in `lazaret.yaml`. */
export const trustFileSchema = z.strictObject({
  schema: z.literal('lazaret.trust/v1'),
  keys: z
    .array(publicKeySchema.extend({ name: z.string().min(1).max(100), uses: z.array(z.enum(KEY_USES)).min(1) }))
    .min(1),
});
export type TrustFile = z.infer<typeof trustFileSchema>;
