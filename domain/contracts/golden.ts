import { z } from 'zod';
import { datasetRefSchema } from './dataset.ts';
import { intervalSchema } from './interval.ts';
import { digestSchema, objectRefSchema } from './object-ref.ts';
import { modelRefSchema } from './stance.ts';
import { hyperparametersSchema } from './trainer.ts';

export const evaluationSchema = z.object({
  dataset: digestSchema,
  accuracy: intervalSchema,
  perClass: z.array(z.object({ class: z.string(), recall: intervalSchema })),
  /** Expected calibration error, 15 equal-width bins of the top score. */
  ece: z.number(),
  meanConfidence: z.number(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;

const describedSchema = z.object({ mean: z.number(), sd: z.number(), quantiles: z.array(z.number()) });
/** Of a score that alarms where it is high: its quantiles, and the greatest values themselves, ascending, for a law of the tail. */
const tailedSchema = z.object({ quantiles: z.array(z.number()), tail: z.array(z.number()).max(64) });
export type Tailed = z.infer<typeof tailedSchema>;

/** What the sentinels need beyond single features: how records of the hold-out lie to each other. At most 128 rows are kept, each as 32 sums. */
const streamProfileSchema = z.object({
  /** Records of the hold-out: what its shares are worth. */
  count: z.number().int().positive(),
  features: z.array(
    z.object({
      /** Shares of the hold-out that are at most, and at least, as large as each quantile of the feature. */
      atMost: z.array(z.number()),
      atLeast: z.array(z.number()),
      /** Of the feature in deviations from its mean, clipped at ±3. */
      clipped: z.object({ mean: z.number(), sd: z.number() }),
    }),
  ),
  entropy: describedSchema,
  /** Null where the model answers with probabilities, which have no energy. */
  energy: tailedSchema.nullable(),
  /** How rare a record's values are, feature by feature, in sum (`domain/profile/rarity.ts`). */
  rarity: tailedSchema,
  /** Squared Mahalanobis distance of a record's sketch, by the law of the half of the hold-out that it is not in. */
  joint: tailedSchema,
  /** Squared distance of a record's sketch to the nearest of `sketch.reference`, itself left out. */
  nearest: tailedSchema,
  /** The rarest thing that a record has in common with one of 32 others that got the same answer (`domain/profile/rarity.ts`). */
  shared: tailedSchema,
  sketch: z.object({
    /** MUST NOT be known to clients. */
    seed: z.number().int().nonnegative(),
    reference: z.array(z.array(z.number())).max(128),
    /** Mean of the sketches, and the lower factor of their covariance, row-major [32 × 32]. */
    centre: z.array(z.number()),
    factor: z.array(z.number()),
    /** Squared distance of a record's sketch to the nearest of the 32 before it. */
    among: describedSchema,
  }),
  /** Confidence less whether the answer was right, over records: its mean is 0 where the model is calibrated. */
  calibration: z.object({ mean: z.number(), sd: z.number() }),
  accuracy: z.number(),
});
export type StreamProfile = z.infer<typeof streamProfileSchema>;

/**
 * What normal looks like for this model, measured on its clean hold-out. Sentinels and analysers compare against it.
 * Quantiles are at PROFILE_QUANTILES.
 */
export const PROFILE_QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1] as const;
export const profileSchema = z.object({
  schema: z.literal('lazaret.profile/v1'),
  features: z.array(z.object({ mean: z.number(), sd: z.number(), quantiles: z.array(z.number()) })),
  confidence: z.object({ mean: z.number(), sd: z.number(), quantiles: z.array(z.number()) }),
  classMix: z.array(z.number()),
  /** Negative log-likelihood of the true label on the hold-out: the reference for the tainted-record threshold. */
  loss: z.object({ mean: z.number(), sd: z.number(), quantiles: z.array(z.number()) }),
  probes: z.object({ inputs: objectRefSchema, outputs: objectRefSchema, count: z.number().int().positive() }),
  weights: z.array(
    z.object({ name: z.string(), shape: z.array(z.number()), l2: z.number(), mean: z.number(), sd: z.number() }),
  ),
  /** Absent in records of before the sentinels. */
  stream: streamProfileSchema.optional(),
});
export type Profile = z.infer<typeof profileSchema>;

/** A golden record: the payload of a compact JWS (`typ: lazaret-golden+jws`) at `golden/<model>/<version>.jws` in the artifacts bucket. */
export const goldenRecordSchema = z.object({
  schema: z.literal('lazaret.golden/v1'),
  model: z.string().min(1).max(100),
  ref: modelRefSchema,
  /** SLSA v1 provenance of the training run (in-toto statement in a DSSE envelope); null for a model trained elsewhere. */
  provenance: objectRefSchema.nullable(),
  dataset: datasetRefSchema,
  /** The clean data set that the figures and the profile were measured on; never trained on. */
  holdout: datasetRefSchema,
  hyperparameters: hyperparametersSchema,
  evaluation: evaluationSchema,
  profile: objectRefSchema,
  /** Digest of the golden record before this one. */
  parent: digestSchema.nullable(),
  /** Captured attacks the model must withstand: request windows of past incidents (see `RegressionAttack`). */
  regressions: z.array(objectRefSchema),
  registeredAt: z.iso.datetime({ offset: true }),
  registeredBy: z.string(),
});
export type GoldenRecord = z.infer<typeof goldenRecordSchema>;

/** A captured attack, kept to be replayed: inputs as flat rows, what the attacker got and what is right. */
export const regressionAttackSchema = z.object({
  schema: z.literal('lazaret.regression-attack/v1'),
  incident: z.string(),
  featureShape: z.array(z.number().int().positive()),
  requests: z.array(
    z.object({
      id: z.string(),
      input: z.array(z.number()),
      attackerClass: z.number().int(),
      goldenClass: z.number().int(),
    }),
  ),
});
export type RegressionAttack = z.infer<typeof regressionAttackSchema>;
