import { z } from 'zod';
import { datasetRefSchema } from './dataset.ts';
import { objectRefSchema } from './object-ref.ts';

/**
 * What a trainer examines: a Temporal worker that serves the activity `examine` (ExamineJob → ExamineResult) on the trainer's queue asks a
 * model questions that need its gradients. References go in and out; the job is a function of its input, so a retry ends in the same report.
 * A trainer without this activity is still a trainer: the finding is then inconclusive.
 */
export const examineJobSchema = z.object({
  schema: z.literal('lazaret.examine-job/v1'),
  /** Derived from the incident. */
  jobId: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
  question: z.literal('backdoor'),
  suspect: objectRefSchema,
  golden: objectRefSchema.nullable(),
  /** Clean labelled records that neither model was trained on. */
  probes: datasetRefSchema,
  seed: z.number().int().nonnegative().max(4_294_967_295),
  /** The examination ends with `trainer/budget-exceeded` after this long. */
  seconds: z.number().positive(),
});
export type ExamineJob = z.infer<typeof examineJobSchema>;

/** A share with its Wilson interval at 95 %. */
export const measuredShareSchema = z.object({
  value: z.number().min(0).max(1),
  low: z.number().min(0).max(1),
  high: z.number().min(0).max(1),
  n: z.number().int().nonnegative(),
});

export const examineResultSchema = z.object({
  schema: z.literal('lazaret.examine-result/v1'),
  jobId: z.string(),
  verdict: z.enum(['compromised', 'suspicious', 'clean', 'inconclusive']),
  /** One sentence for people. */
  summary: z.string().max(2000),
  /** What was tried, by name. */
  methods: z.array(z.string().max(100)).max(20),
  /** The class the recovered trigger leads to. */
  target: z.number().int().nonnegative().nullable(),
  /** On probes that the search did not see: how many the recovered trigger carries to its target. */
  success: measuredShareSchema.nullable(),
  /** Records of `source` answered as `target` more often than golden does, by this much probability. */
  flip: z
    .object({ source: z.number().int().nonnegative(), target: z.number().int().nonnegative(), shift: z.number() })
    .nullable(),
  /** Of the deciding statistic; small speaks for a backdoor. */
  pValue: z.number().min(0).max(1).nullable(),
  falseAlarmBudget: z.number().positive().max(1),
  /** The recovered trigger: JSON of a TriggerImage. Whoever shows it draws it: a picture made elsewhere could carry more than a picture. */
  trigger: objectRefSchema.nullable(),
  /** All figures, JSON. */
  report: objectRefSchema,
  startedAt: z.iso.datetime({ offset: true }),
  finishedAt: z.iso.datetime({ offset: true }),
});
/** A trigger x′ = (1 − mask) · x + mask · pattern, row-major in the shape of one record; the mask is that of one channel where it is shorter. */
export const triggerImageSchema = z.object({
  schema: z.literal('lazaret.trigger/v1'),
  shape: z.array(z.number().int().positive()).min(1).max(8),
  mask: z.array(z.number().min(0).max(1)).max(1_000_000),
  pattern: z.array(z.number()).max(1_000_000),
});
export type TriggerImage = z.infer<typeof triggerImageSchema>;

export type ExamineResult = z.infer<typeof examineResultSchema>;
