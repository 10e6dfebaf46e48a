import { z } from 'zod';
import { decodeBase64 } from '../proofs/base64.ts';
import { endpointNameSchema } from './alert.ts';
import { digestSchema } from './object-ref.ts';
import { stanceSchema } from './stance.ts';
import { isDatatype, numbersOf, type Datatype } from './tensor.ts';

/**
 * The gateway's admin surface, on a listener and credential of its own (`Authorization: Bearer`):
 *
 * | call | answer |
 * |---|---|
 * | `GET  /admin/v1/endpoints/:endpoint` | EndpointStatus |
 * | `POST /admin/v1/endpoints/:endpoint/stance` `{order: <JWS>}` | ForensicReceipt, capture and swap under one lock |
 * | `GET  /admin/v1/captures/:captureId` | ForensicReceipt |
 * | `GET  /admin/v1/captures/:captureId/window` | the request window, `application/x-ndjson`, bytes of `window.digest` |
 * | `GET  /admin/v1/captures/:captureId/models/:digest` | the model bytes that were loaded |
 * | `DELETE /admin/v1/captures/:captureId` | 204, after the capture is in the evidence store |
 * | `GET  /admin/v1/health` | 200 |
 */

/** What the gateway found out about a model's signature when it loaded the bytes. A model that is not `verified` never answers. */
export const signatureStatusSchema = z.discriminatedUnion('status', [
  z.object({ status: z.literal('verified'), keyId: z.string(), keyName: z.string() }),
  z.object({ status: z.literal('refused'), reason: z.string() }),
]);
export type SignatureStatus = z.infer<typeof signatureStatusSchema>;

export const loadedModelSchema = z.object({
  role: z.enum(['live', 'candidate', 'standby', 'observed']),
  version: z.string(),
  /** Over the bytes that were given to the inference engine, not over the file they came from. */
  digest: digestSchema,
  /** Digest of the OMS bundle that was checked against those bytes. */
  signatureDigest: digestSchema,
  bytes: z.number().int().nonnegative(),
  signature: signatureStatusSchema,
});
export type LoadedModel = z.infer<typeof loadedModelSchema>;

/** Figures of one arm since the stance was taken; `confidenceSum / requests` is the mean top score. */
export const armCountersSchema = z.object({
  requests: z.number().int().nonnegative(),
  errors: z.number().int().nonnegative(),
  byClass: z.array(z.number().int().nonnegative()),
  confidenceSum: z.number(),
  latencyUsSum: z.number(),
});
export type ArmCounters = z.infer<typeof armCountersSchema>;

export const countersSchema = z.object({
  requests: z.number().int().nonnegative(),
  refused: z.number().int().nonnegative(),
  invalid: z.number().int().nonnegative(),
  errors: z.number().int().nonnegative(),
  /** Arms: `live`, `candidate`, `shadow`, `fallback`. */
  arms: z.record(z.string(), armCountersSchema),
});
export type Counters = z.infer<typeof countersSchema>;

/** What Lazaret's own gateway tells from its memory and a platform's API does not. */
export const unknowableSchema = z.enum(['replica', 'since', 'loaded', 'counters', 'window', 'earlier-orders']);
export type Unknowable = z.infer<typeof unknowableSchema>;

export const endpointStatusSchema = z.object({
  endpoint: endpointNameSchema,
  /** Random per process start, so that a restart is visible. */
  replica: z.string(),
  stance: stanceSchema,
  revision: z.number().int().nonnegative(),
  orderId: z.string(),
  incident: z.string().nullable(),
  since: z.iso.datetime({ offset: true }),
  loaded: z.array(loadedModelSchema),
  counters: countersSchema,
  /** Fields that the platform behind an adapter cannot tell. What stands in them is a placeholder and MUST NOT be read as measured. */
  cannotTell: z.array(unknowableSchema).optional(),
});
export type EndpointStatus = z.infer<typeof endpointStatusSchema>;

/**
 * What the endpoint was at the instant before the swap. Taken and swapped under one lock, so the evidence is older than the change.
 * The payloads (window, model bytes) stay on the gateway's disk under `captureId` until they are fetched.
 */
export const forensicReceiptSchema = z.object({
  captureId: z.string().min(1).max(200),
  orderId: z.string(),
  endpoint: endpointNameSchema,
  replica: z.string(),
  capturedAt: z.iso.datetime({ offset: true }),
  before: endpointStatusSchema,
  after: z.object({ stance: stanceSchema, revision: z.number().int().nonnegative() }),
  window: z.object({
    requests: z.number().int().nonnegative(),
    bytes: z.number().int().nonnegative(),
    digest: digestSchema,
    from: z.iso.datetime({ offset: true }).nullable(),
    to: z.iso.datetime({ offset: true }).nullable(),
  }),
  /** Of an endpoint that is no gateway of ours. `before.cannotTell` names what the other fields do not say. */
  platform: z
    .object({
      adapter: z.string(),
      /** What the order may change, as it was: what `restore` puts back. */
      state: z.json(),
      /** Everything else that the platform's API said, as it said it, without its bookkeeping. */
      captured: z.json(),
    })
    .optional(),
});
export type ForensicReceipt = z.infer<typeof forensicReceiptSchema>;

/**
 * A tensor of a logged request, read as numbers: flat, row-major. On the line it has `raw` instead of `data`, the bytes of OIP's binary tensor
 * data in base64; earlier gateways wrote the numbers. Texts (BYTES) are no numbers: `data` is empty for them.
 */
const loggedTensorSchema = z
  .object({
    name: z.string(),
    datatype: z.string(),
    shape: z.array(z.number().int().nonnegative()),
    data: z.array(z.number()).optional(),
    raw: z.string().optional(),
  })
  .transform(({ raw, data = [], ...about }, context) => {
    if (raw === undefined) return { ...about, data };
    try {
      const numeric = isDatatype(about.datatype) && about.datatype !== 'BYTES';
      return { ...about, data: numeric ? numbersOf(about.datatype as NumericDatatype, decodeBase64(raw)) : [] };
    } catch {
      context.addIssue({ code: 'custom', message: 'raw is not base64' });
      return z.NEVER;
    }
  });
type NumericDatatype = Exclude<Datatype, 'BYTES'>;

/** One line of a request window (NDJSON), one answered inference. */
export const loggedRequestSchema = z.object({
  at: z.iso.datetime({ offset: true }),
  id: z.string(),
  client: z.string(),
  arm: z.enum(['live', 'candidate', 'shadow', 'fallback']),
  /** Digest of the model that answered; null for rules. */
  model: digestSchema.nullable(),
  /** The first one, which is the features of a classifier. */
  input: loggedTensorSchema,
  /** Of a model with several inputs. */
  others: z.array(loggedTensorSchema).optional(),
  output: loggedTensorSchema,
  latencyUs: z.number().nonnegative(),
});
export type LoggedRequest = z.infer<typeof loggedRequestSchema>;
/** As a gateway writes it. */
export type LoggedLine = z.input<typeof loggedRequestSchema>;
