import { z } from 'zod';
import { datasetRefSchema } from './dataset.ts';
import { objectRefSchema } from './object-ref.ts';

/**
 * What a trainer attacks: a Temporal worker that serves the activity `attack` (RobustnessJob → RobustnessResult) on the trainer's queue tries to
 * turn the answers of a repaired model and of the golden one with their gradients. References go in and out; the same job ends in the same
 * answer. A trainer without this activity is still a trainer: the gate is then absent, or undecided where lazaret.yaml demands it.
 */
export const robustnessJobSchema = z.object({
  schema: z.literal('lazaret.robustness-job/v1'),
  jobId: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
  candidate: objectRefSchema,
  golden: objectRefSchema,
  dataset: datasetRefSchema,
  /** JSON of an AttackSpace. */
  space: objectRefSchema,
  /** Half the side of the L∞ cube, as a share of each feature's range; the L2 ball's radius follows from it. */
  epsilon: z.number().positive().max(1),
  steps: z.number().int().positive().max(1000),
  /** Even ones climb the cross-entropy, odd ones the margin. */
  restarts: z.number().int().positive().max(100),
  seed: z.number().int().nonnegative().max(4_294_967_295),
  /** Where they do not suffice for all restarts, both models get as many whole ones as there was time for. */
  seconds: z.number().positive(),
});
export type RobustnessJob = z.infer<typeof robustnessJobSchema>;

/** Which records are attacked, and between which values each feature may be moved; one value where it is the same for all. */
export const attackSpaceSchema = z.object({
  schema: z.literal('lazaret.attack-space/v1'),
  ids: z.array(z.string()).min(1).max(10_000),
  low: z.array(z.number()).min(1).max(1_000_000),
  high: z.array(z.number()).min(1).max(1_000_000),
});
export type AttackSpaceDocument = z.infer<typeof attackSpaceSchema>;

/** One character for each record of the space, in its order: 1 where it is still answered rightly. */
const standing = z.string().regex(/^[01]{1,10000}$/);

export const withstoodSchema = z.object({
  norm: z.enum(['linf', 'l2']),
  /** In units of the features' ranges. */
  radius: z.number().positive(),
  candidate: standing,
  golden: standing,
  /** The candidate under the restarts of one loss alone. */
  crossEntropy: standing,
  margin: standing.nullable(),
});

export const robustnessResultSchema = z.object({
  schema: z.literal('lazaret.robustness-result/v1'),
  jobId: z.string(),
  attacks: z.array(withstoodSchema).min(1).max(2),
  steps: z.number().int().positive(),
  /** Restarts that both models got. */
  restarts: z.number().int().positive(),
  startedAt: z.iso.datetime({ offset: true }),
  finishedAt: z.iso.datetime({ offset: true }),
});
export type RobustnessResult = z.infer<typeof robustnessResultSchema>;
