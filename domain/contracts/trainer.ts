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
});

export const trainJobSchema = z.object({
  schema: z.literal('lazaret.train-job/v1'),
  /** Derived from the incident or caller; names the checkpoints, so the same job never trains twice. */
  jobId: z.string().regex(/^[A-Za-z0-9._-]{1,200}$/),
  objective: z.literal('standard'),
  /** The ONNX graph and the weights to start from. The result has the same graph. */
  base: objectRefSchema,
  dataset: datasetRefSchema,
  hyperparameters: hyperparametersSchema,
  budget: trainBudgetSchema,
  checkpointEverySteps: z.number().int().positive(),
});
export type TrainJob = z.infer<typeof trainJobSchema>;

export const trainProgressSchema = z.object({
  jobId: z.string(),
  step: z.number().int().nonnegative(),
  steps: z.number().int().positive(),
  epoch: z.number().int().nonnegative(),
  loss: z.number().nullable(),
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
  'trainer/storage-unavailable': { retryable: true },
  /** The worker is going down in order; another one goes on from the checkpoint it wrote. */
  'trainer/worker-stopped': { retryable: true },
} as const;
