import { z } from 'zod';
import { endpointNameSchema } from './alert.ts';
import { digestSchema, objectRefSchema } from './object-ref.ts';

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
    .union([
      z.object({
        feature: z.number().int().nonnegative(),
        op: z.enum(['<', '<=', '>', '>=', '==']),
        value: z.number(),
      }),
      /** CEL over `features`, a list of doubles: `features[3] > 0.5 && features[7] < 2.0`. */
      z.object({ cel: z.string().min(1).max(2000) }),
    ])
    .nullable(),
  scores: z.array(z.number()).min(1).max(10_000),
  reason: z.string().max(500),
});
export type FallbackRule = z.infer<typeof fallbackRuleSchema>;

/** How often: `burst` at once, `perMinute` in the long run. */
export const rateSchema = z.strictObject({
  perMinute: z.number().positive().max(1e6),
  burst: z.number().int().min(1).max(100_000),
});
export type Rate = z.infer<typeof rateSchema>;

/**
 * What of an answer goes out: everything; scores rounded to `digits`; the winner's probability and zeros beside it; 1 for the winner and zeros.
 * Other float outputs are left out unless everything goes out.
 */
export const answerPrecisionSchema = z.enum(['full', 'rounded', 'top-1', 'label']);
export type AnswerPrecision = z.infer<typeof answerPrecisionSchema>;

/** How a model that has to go on answering is kept from being stolen or searched. */
export const limitsSchema = z.strictObject({
  perClient: rateSchema
    .nullable()
    .default({ perMinute: 60, burst: 30 })
    .describe('For each client by its own name or address.'),
  total: rateSchema.nullable().default(null).describe('For all clients together: names can be made up.'),
  answers: answerPrecisionSchema.default('label').describe('What of an answer goes out.'),
  digits: z.number().int().min(0).max(6).default(1).describe('Of rounded scores.'),
  blocked: z
    .array(z.string().min(1).max(200))
    .max(10_000)
    .default([])
    .describe('Clients, by name or address, that are refused.'),
  features: z
    .array(z.strictObject({ feature: z.number().int().nonnegative(), least: z.number(), most: z.number() }))
    .max(10_000)
    .default([])
    .describe('Values of the first input that are answered; a request with another is refused.'),
});
export type Limits = z.output<typeof limitsSchema>;

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
    /** Whether a request or a client is sent to one arm; the hash of its id decides. Absent: a request. */
    by: z.enum(['request', 'client']).optional(),
  }),
  /** `model` answers; `beside`, a trusted one, runs beside it on a share of the requests, and the two are compared. */
  z.object({
    kind: z.literal('mirror'),
    model: modelRefSchema,
    beside: modelRefSchema,
    share: z.number().gt(0).max(1),
  }),
  /** `model` answers within limits. */
  z.object({ kind: z.literal('limited'), model: modelRefSchema, limits: limitsSchema }),
  /** `model` is trusted and answers; `observed`, if any, runs beside it and is only compared. */
  z.object({ kind: z.literal('shadow'), model: modelRefSchema, observed: modelRefSchema.nullable() }),
  z.object({ kind: z.literal('fallback'), rules: z.array(fallbackRuleSchema).min(1).max(100) }),
  /** Every inference is refused with 503 and a problem document (RFC 9457) that carries `reason`. */
  z.object({ kind: z.literal('isolated'), reason: z.string().min(1).max(500) }),
  /**
   * What a platform behind an adapter had before the first order, which no order describes: known by the digest of what was captured of it, in
   * words for people. As an order: put exactly that back. Lazaret's own gateway never has it and refuses it.
   */
  z.object({ kind: z.literal('found'), state: digestSchema, words: z.string().min(1).max(500) }),
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
  return ['limited', 'shadow', 'fallback', 'isolated'].includes(stance.kind);
}
