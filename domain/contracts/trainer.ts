import { z } from 'zod';
import { datasetRefSchema } from './dataset.ts';
import { digestSchema, objectRefSchema } from './object-ref.ts';

/**
 * The trainer contract: any Temporal worker, in any language, that serves the activity `train` (TrainJob → TrainResult) on the queue named
 * in `lazaret.yaml` is a trainer. References and digests go in and out; inputs MUST be verified against their digests before use; outputs are
 * content-addressed. The heartbeat details are one TrainProgress. On a retry the job goes on from the newest checkpoint under
 * `checkpoints/<jobId>/` and ends with the same bytes as an uninterrupted run (on CPU, with the same seed).
 */
export const hyperparametersSchema = z.object({
  epochs: z.number().int().positive().max(100_000),
  batchSize: z.number().int().positive().max(1_000_000),
  learningRate: z.number().positive().max(10),
  seed: z.number().int().nonnegative().max(4_294_967_295),
});
export type Hyperparameters = z.infer<typeof hyperparametersSchema>;

export const trainBudgetSchema = z.object({
  seconds: z.number().positive(),
  steps: z.number().int().positive(),
  /** In any one currency: the training ends when the device has cost `most`. Absent: seconds and steps alone decide. */
  money: z.object({ most: z.number().positive(), perDeviceHour: z.number().positive() }).optional(),
});
export type TrainBudget = z.infer<typeof trainBudgetSchema>;

/** What the training is for. Each but `standard` reads its own part of the options, which bears its name. */
export const objectiveSchema = z.enum([
  'standard',
  'incremental',
  'adversarial',
  'private',
  'unlearn',
  'poison-resistant',
  'partition-vote',
  'fair',
]);
export type Objective = z.infer<typeof objectiveSchema>;

/** A share of records is kept out of the training and judges it after every epoch; the weights that did best there are the result. */
export const holdBackSchema = z.object({
  share: z.number().positive().max(0.5),
  /** Epochs without a better score, after which the training ends. */
  patience: z.number().int().positive().max(100_000),
});

/** Off where it is absent. Of features [channels, height, width] only: rows of a table have no neighbours to be shifted to. */
export const augmentationSchema = z.object({
  /** An image is shifted by up to this many pixels each way; what comes in from outside is 0. */
  shiftPixels: z.number().int().nonnegative().max(32),
  /** Standard deviation of Gaussian noise, in units of the features. */
  noise: z.number().nonnegative().max(10),
});

export const incrementalOptionsSchema = z.object({
  /** What the base model was trained on, or a sample of it: rehearsed, so that it is not forgotten. */
  replay: datasetRefSchema,
  /** Of every batch. */
  replayShare: z.number().positive().max(0.9),
});

export const adversarialOptionsSchema = z.object({
  /** `pgd`: Madry et al. 2018, half of the loss on attacked records; `trades`: Zhang et al. 2019. */
  method: z.enum(['pgd', 'trades']),
  /** `patch`: a square of any content at any place. */
  norm: z.enum(['linf', 'l2', 'patch']),
  /** Radius in units of the features; of a patch the side in pixels. */
  epsilon: z.number().positive().max(1000),
  steps: z.number().int().positive().max(100),
  /** TRADES only: how much robustness weighs against accuracy; 6 where it is absent. */
  beta: z.number().positive().max(100).optional(),
  /** Captured attacks (JSON of TriggerImages): laid over a share of the records, which keep their labels. */
  captured: z.array(objectRefSchema).max(16).optional(),
});

export const privateOptionsSchema = z.object({
  /** The budget. The noise is calibrated to it before the first step; a job that cannot keep it is refused. */
  epsilon: z.number().positive().max(100),
  /** Below 1/records; 1/(1.1 · records) where it is absent. */
  delta: z.number().positive().max(0.1).optional(),
  /** Each record's gradient is scaled down to this Euclidean norm; 1 where it is absent. */
  clipNorm: z.number().positive().max(1000).optional(),
});

/** At least one of the three: records to forget, triggers to forget, or rounds of looking for unknown triggers. */
export const unlearnOptionsSchema = z.object({
  /** JSON array of the ids of records to forget; they are in the data set. */
  forget: objectRefSchema.optional(),
  /** Captured or inverted triggers (JSON of TriggerImages) that must lose their effect. */
  triggers: z.array(objectRefSchema).max(16).optional(),
  /** How often triggers are looked for in the model as it has become, and unlearnt. The data set is the few hundred records to trust. */
  rounds: z.number().int().positive().max(10).optional(),
  /** An older model to trust: a trigger is then what moves the base model and leaves this one alone. */
  reference: objectRefSchema.optional(),
});

export const poisonResistantOptionsSchema = z.object({
  /** Records set aside in every epoch: those of the largest loss under the model so far (iterative trimmed loss). */
  trim: z.number().nonnegative().max(0.5),
});

/** Deep Partition Aggregation (Levine and Feizi 2021): as many models as partitions, and one graph in which they vote (docs/decisions/0007). */
export const partitionVoteOptionsSchema = z.object({
  /** A certificate against r records needs at least 2·r + 1; each model learns from its share of the records alone. */
  partitions: z.number().int().min(2).max(256),
  /** Clean records for the figures: the shares answered rightly whatever 1, 2, 5, … records of the job are. */
  certifyOn: datasetRefSchema.optional(),
});

export const fairOptionsSchema = z.object({
  /** Which feature (in row-major order) tells the group: above `threshold` or not. */
  feature: z.number().int().nonnegative(),
  threshold: z.number(),
});

export const trainOptionsSchema = z.object({
  holdBack: holdBackSchema.optional(),
  /** Every class weighs alike in the loss, however many records it has. */
  classBalance: z.boolean().optional(),
  augmentation: augmentationSchema.optional(),
  /** A batch is computed in so many parts, for a device too small for the whole. */
  accumulation: z.number().int().positive().max(1024).optional(),
  /** `mixed`: products in bfloat16, weights and their sums in float32. For devices that are faster so; float32 where it is absent. */
  precision: z.enum(['float32', 'mixed']).optional(),
  incremental: incrementalOptionsSchema.optional(),
  adversarial: adversarialOptionsSchema.optional(),
  private: privateOptionsSchema.optional(),
  unlearn: unlearnOptionsSchema.optional(),
  poisonResistant: poisonResistantOptionsSchema.optional(),
  partitionVote: partitionVoteOptionsSchema.optional(),
  fair: fairOptionsSchema.optional(),
});
export type TrainOptions = z.infer<typeof trainOptionsSchema>;

const PART_OF = {
  incremental: 'incremental',
  adversarial: 'adversarial',
  private: 'private',
  unlearn: 'unlearn',
  'poison-resistant': 'poisonResistant',
  'partition-vote': 'partitionVote',
  fair: 'fair',
} as const;

/** The parts of the options that belong to an objective: its own MUST be there, and no other's. */
function fitting({ objective, options }: { objective: Objective; options?: TrainOptions }): boolean {
  return Object.entries(PART_OF).every(([name, part]) => (options?.[part] !== undefined) === (name === objective));
}

export const trainJobSchema = z
  .object({
    schema: z.literal('lazaret.train-job/v1'),
    /** Derived from the incident or caller; names the checkpoints, so the same job never trains twice. */
    jobId: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
    objective: objectiveSchema,
    options: trainOptionsSchema.optional(),
    /** The ONNX graph and the weights to start from. The result has the same graph; that of `partition-vote` has it once a member, and a vote. */
    base: objectRefSchema,
    dataset: datasetRefSchema,
    hyperparameters: hyperparametersSchema,
    /** Without `holdBack` a job that would exceed it fails; with it, the training stops there and keeps the best weights. */
    budget: trainBudgetSchema,
    checkpointEverySteps: z.number().int().positive(),
  })
  .refine(fitting, { error: 'an objective needs its own part of the options, and no other', path: ['options'] });
export type TrainJob = z.infer<typeof trainJobSchema>;

/** One point of the curves; an absent share was not measured. */
export const progressPointSchema = z.object({
  step: z.number().int().positive(),
  loss: z.number(),
  accuracy: z.number().min(0).max(1).optional(),
  attackSuccess: z.number().min(0).max(1).optional(),
});

export const trainProgressSchema = z.object({
  jobId: z.string(),
  step: z.number().int().nonnegative(),
  steps: z.number().int().positive(),
  epoch: z.number().int().nonnegative(),
  loss: z.number().nullable(),
  /** Share answered rightly: of the records held back, after the newest epoch; else of the newest batch, as it was trained on. */
  accuracy: z.number().min(0).max(1).optional(),
  /** Share of attacked records that the attack under training carries away, measured where `accuracy` is. */
  attackSuccess: z.number().min(0).max(1).optional(),
  /** Privacy spent so far, at the job's delta. */
  epsilon: z.number().nonnegative().optional(),
  /** The curves so far, thinned: who begins to watch late sees all of them. Ascending by step. */
  curve: z.array(progressPointSchema).max(128).optional(),
  /** Step of the newest checkpoint in S3, 0 when there is none. */
  checkpointStep: z.number().int().nonnegative(),
  worker: z.string(),
});
export type TrainProgress = z.infer<typeof trainProgressSchema>;

export const trainResultSchema = z.object({
  schema: z.literal('lazaret.train-result/v1'),
  jobId: z.string(),
  artifact: objectRefSchema,
  /** The loss curve: JSON array of {step, epoch, loss}. */
  curve: objectRefSchema,
  steps: z.number().int().positive(),
  records: z.number().int().positive(),
  finalLoss: z.number(),
  /** What the objective measured, by name: epsilon, delta, noiseMultiplier, heldBackAccuracy, attackSuccess, certified@5, … */
  figures: z.record(z.string(), z.number()).optional(),
  /** Why it ended before its last step; the weights are then those that did best on the records held back. */
  stopped: z.enum(['patience', 'budget']).optional(),
  /** Steps at which a worker took the job over from a checkpoint; empty for an uninterrupted run. */
  resumedAtSteps: z.array(z.number().int().nonnegative()),
  startedAt: z.iso.datetime({ offset: true }),
  finishedAt: z.iso.datetime({ offset: true }),
  /** What trained: package versions, device, digest of the trainer's source. */
  environment: z.object({
    trainer: z.string(),
    codeDigest: digestSchema,
    python: z.string(),
    packages: z.record(z.string(), z.string()),
    device: z.string(),
  }),
});
export type TrainResult = z.infer<typeof trainResultSchema>;

/** Failure types (Temporal's ApplicationFailure `type`) that a trainer raises; non-retryable ones are marked. */
export const TRAINER_FAILURES = {
  'trainer/bad-job': { retryable: false },
  'trainer/input-digest-mismatch': { retryable: false },
  'trainer/unsupported-operator': { retryable: false },
  'trainer/bad-dataset': { retryable: false },
  'trainer/diverged': { retryable: false },
  'trainer/budget-exceeded': { retryable: false },
  /** Even one record at a time does not fit; halved batches were tried. */
  'trainer/out-of-memory': { retryable: false },
  /** The privacy budget cannot be kept with any noise that leaves something to learn, or is spent. */
  'trainer/privacy-budget': { retryable: false },
  'trainer/storage-unavailable': { retryable: true },
  /** The worker is going down in order; another one goes on from the checkpoint it wrote. */
  'trainer/worker-stopped': { retryable: true },
} as const;
