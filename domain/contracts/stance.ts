import { z } from 'zod';
import { endpointNameSchema } from './alert.ts';
import { objectRefSchema } from './object-ref.ts';

/** A model that a gateway may load: the ONNX bytes and the OMS bundle that vouches for them. */
export const modelRefSchema = z.object({
  version: z.string().min(1).max(100),
  artifact: objectRefSchema,
  /** OpenSSF Model Signing bundle (JSON) over the single file `model.onnx`. */
  signature: objectRefSchema,
});
export type ModelRef = z.infer<typeof modelRefSchema>;

/** A rule that answers in the model's place: `scores` is the output row when the condition holds. The last rule has no condition. */
export const fallbackRuleSchema = z.object({
  when: z
    .object({ feature: z.number().int().nonnegative(), op: z.enum(['<', '<=', '>', '>=', '==']), value: z.number() })
    .nullable(),
  scores: z.array(z.number()).min(1).max(10_000),
  reason: z.string().max(500),
});
export type FallbackRule = z.infer<typeof fallbackRuleSchema>;

/** What an endpoint does with the next request. Exactly one holds at any instant. */
export const stanceSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('serving'),
    model: modelRefSchema,
    /** Loaded, verified and warm, but not answering: what `shadow` can switch to at once. */
    standby: modelRefSchema.nullable(),
  }),
  z.object({
    kind: z.literal('canary'),
    model: modelRefSchema,
    candidate: modelRefSchema,
    /** Share of requests, 0 to 1, that the candidate answers, chosen by a hash of the request's id. */
    share: z.number().min(0).max(1),
  }),
  /** `model` is trusted and answers; `observed`, if any, runs beside it and is only compared. */
  z.object({ kind: z.literal('shadow'), model: modelRefSchema, observed: modelRefSchema.nullable() }),
  z.object({ kind: z.literal('fallback'), rules: z.array(fallbackRuleSchema).min(1).max(100) }),
  /** Every inference is refused with 503 and a problem document (RFC 9457) that carries `reason`. */
  z.object({ kind: z.literal('isolated'), reason: z.string().min(1).max(500) }),
]);
export type Stance = z.infer<typeof stanceSchema>;
export type StanceKind = Stance['kind'];

/** The `typ` of a signed stance order. */
export const STANCE_TYPE = 'lazaret-stance+jws';

/**
 * The desired stance of one endpoint: the payload of a compact JWS (`typ: lazaret-stance+jws`, EdDSA).
 * A gateway MUST refuse an order whose revision is not greater than the one it holds, unless `orderId` is the one it holds
 * (then it returns the receipt it already made). A responder's containment outranks whatever a deployer ordered, with any revision. Keys of use `deploy` MUST NOT lift a stance taken for an incident.
 */
export const stanceOrderSchema = z.object({
  orderId: z.string().min(1).max(200),
  endpoint: endpointNameSchema,
  /** The incident this stance is held for; null when the endpoint is in normal service. */
  incident: z.string().min(1).max(200).nullable(),
  /** Milliseconds since the epoch when the order was made, raised by one where the previous order is not older. */
  revision: z.number().int().positive(),
  stance: stanceSchema,
  issuer: z.string().min(1).max(200),
  issuedAt: z.iso.datetime({ offset: true }),
});
export type StanceOrder = z.infer<typeof stanceOrderSchema>;

/** Is the endpoint out of normal service for an incident? */
export function isContained(stance: Stance): boolean {
  return stance.kind === 'shadow' || stance.kind === 'fallback' || stance.kind === 'isolated';
}
