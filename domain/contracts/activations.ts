import { z } from 'zod';
import { datasetRefSchema } from './dataset.ts';
import { objectRefSchema } from './object-ref.ts';

/**
 * What a trainer looks for inside a model: a Temporal worker that serves the activity `explain` (ExplainJob → ExplainResult) on the trainer's
 * queue tells how the captured requests that suspect and golden model answer differently went through both. The job is a function of its input,
 * so a retry ends in the same figures. A trainer without this activity is still a trainer: the finding is then inconclusive.
 */
export const explainJobSchema = z.object({
  schema: z.literal('lazaret.explain-job/v1'),
  /** Derived from the incident. */
  jobId: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
  suspect: objectRefSchema,
  golden: objectRefSchema,
  /** Clean labelled records that neither model was trained on. */
  probes: datasetRefSchema,
  /** What the suspect was trained on; null where its provenance does not say. */
  records: datasetRefSchema.nullable(),
  /** What clients sent: float32, little endian, row-major, `count` records of the probes' shape. */
  requests: z.object({ object: objectRefSchema, count: z.number().int().positive().max(10_000) }),
  seed: z.number().int().nonnegative().max(4_294_967_295),
  /** The job ends with `trainer/budget-exceeded` after this long. */
  seconds: z.number().positive(),
});
export type ExplainJob = z.infer<typeof explainJobSchema>;

const share = z.number().min(0).max(1);
const count = z.number().int().nonnegative();

/** One layer of the suspect beside the golden model's at the same place. */
const layerSchema = z.object({
  name: z.string().max(500),
  units: count,
  /** Linear CKA with the golden model's layer on clean records, and on the suspect requests; null where they are too few. */
  clean: share,
  requests: share.nullable(),
  /** Share of as many clean records, drawn again and again, on which the layers are as little alike. */
  pValue: share.nullable(),
  /** Units that clean records hardly move, and those of them that at least half of the suspect requests move. */
  silent: count,
  lit: count,
  /**
   * Suspect requests that the golden model's layer, carried over by what clean records have in common, does not foretell; and clean records
   * that it does not. null without suspect requests.
   */
  parted: z.object({ outside: count, requests: count, cleanOutside: count, clean: count }).nullable(),
});

/** The unit that speaks loudest for dormancy in one model: Fisher's exact test, after Holm over the silent units. */
const dormantSchema = z.object({
  layer: z.string().max(500),
  unit: count,
  silent: count,
  lit: count,
  pValue: share,
});

export const explainResultSchema = z.object({
  schema: z.literal('lazaret.explain-result/v1'),
  jobId: z.string(),
  requests: count,
  /** Requests that the two models answer differently: what is explained. */
  suspects: count,
  /** In the order of the graph, at most twelve; without `suspects` only what clean records show. */
  layers: z.array(layerSchema).max(12),
  dormant: z.object({ suspect: dormantSchema, golden: dormantSchema }).nullable(),
  /**
   * Suspect requests outside the pattern of the class they were answered, in the suspect's last layer, and the clean records outside their own.
   * `classes`: by the class that was answered, with the class whose pattern most of its requests are nearest to in the golden model.
   */
  patterns: z
    .object({
      outside: count,
      of: count,
      clean: z.object({ outside: count, n: count }),
      classes: z
        .array(z.object({ answered: count, requests: count, outside: count, nearest: count, near: count }))
        .max(10_000),
    })
    .nullable(),
  /** JSON of a SaliencyMap. */
  saliency: objectRefSchema.nullable(),
  /** JSON of Influences; null where the training records are not known or there is nothing to explain. */
  influence: objectRefSchema.nullable(),
  /** All figures, JSON. */
  report: objectRefSchema,
  startedAt: z.iso.datetime({ offset: true }),
  finishedAt: z.iso.datetime({ offset: true }),
});
export type ExplainResult = z.infer<typeof explainResultSchema>;

/** What of a record speaks for the suspect's answer and against the golden model's: shares of the whole, row-major in the shape of one record. */
export const saliencyMapSchema = z.object({
  schema: z.literal('lazaret.saliency/v1'),
  shape: z.array(z.number().int().positive()).min(1).max(8),
  values: z.array(share).max(1_000_000),
  /** The mean of the explained requests, of the same shape. */
  mean: z.array(z.number()).max(1_000_000),
  /** How many they are. */
  requests: count,
  /** How much of the difference the sum over the path misses, median over the requests. */
  missed: z.number().nonnegative(),
});
export type SaliencyMap = z.infer<typeof saliencyMapSchema>;

/** How much each training record pulls the way that the suspect requests were answered; the same of clean records, as if they had been trained on. */
export const influencesSchema = z.object({
  schema: z.literal('lazaret.influences/v1'),
  ids: z.array(z.string().max(1000)).max(1_000_000),
  scores: z.array(z.number()).max(1_000_000),
  clean: z.array(z.number()).max(1_000_000),
});
export type Influences = z.infer<typeof influencesSchema>;
