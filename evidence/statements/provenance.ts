import { z } from 'zod';
import { datasetRefSchema, type DatasetRef } from '../../domain/contracts/dataset.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import {
  hyperparametersSchema,
  trainBudgetSchema,
  trainOptionsSchema,
  type TrainJob,
  type TrainResult,
} from '../../domain/contracts/trainer.ts';
import { hexOf, parseDigest, type Digest } from '../../domain/proofs/digest.ts';
import { resourceDescriptorSchema, STATEMENT_TYPE, type ResourceDescriptor, type Statement } from './statement.ts';

/** SLSA provenance v1.0 (slsa.dev/spec/v1.0/provenance). */
export const PROVENANCE_TYPE = 'https://slsa.dev/provenance/v1';
/** Our build type: one run of the trainer contract (`domain/contracts/trainer.ts`). */
export const TRAINING_BUILD_TYPE = 'urn:lazaret:training-run:v1';
const BUILDER_PREFIX = 'urn:lazaret:builder:';

const DATASET = 'dataset-manifest';
const BASE = 'base-checkpoint';
const CODE = 'trainer-code';

/**
 * What a training run was: subject = the artifact, external parameters = what the caller chose, resolved dependencies = everything that went
 * in (data set version, base checkpoint, trainer's source), all by digest. Throws TypeError where the result is another job's.
 */
export function trainingProvenance(run: {
  readonly job: TrainJob;
  readonly result: TrainResult;
  readonly builder: string;
}): Statement {
  const { job, result, builder } = run;
  if (result.jobId !== job.jobId) throw new TypeError('the result is not of this job');
  const { codeDigest, ...environment } = result.environment;
  return {
    _type: STATEMENT_TYPE,
    subject: [descriptor(result.artifact.name, result.artifact)],
    predicateType: PROVENANCE_TYPE,
    predicate: {
      buildDefinition: {
        buildType: TRAINING_BUILD_TYPE,
        externalParameters: {
          objective: job.objective,
          hyperparameters: job.hyperparameters,
          budget: job.budget,
          ...(job.options && { options: job.options }),
        },
        internalParameters: { checkpointEverySteps: job.checkpointEverySteps, environment },
        resolvedDependencies: [
          {
            ...descriptor(DATASET, job.dataset.manifest),
            // The whole reference, because lineage has to read the manifest and check its signature, years later.
            annotations: { dataset: job.dataset },
          },
          descriptor(BASE, job.base),
          { name: CODE, digest: { sha256: hexOf(codeDigest) } },
        ],
      },
      runDetails: {
        builder: { id: `${BUILDER_PREFIX}${encodeURIComponent(builder)}` },
        metadata: { invocationId: job.jobId, startedOn: result.startedAt, finishedOn: result.finishedAt },
        byproducts: [
          {
            ...descriptor('loss-curve', result.curve),
            annotations: {
              steps: result.steps,
              records: result.records,
              finalLoss: result.finalLoss,
              resumedAtSteps: result.resumedAtSteps,
            },
          },
        ],
      },
    },
  };
}

const predicateSchema = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: z.literal(TRAINING_BUILD_TYPE),
    externalParameters: z.strictObject({
      objective: z.string(),
      hyperparameters: hyperparametersSchema,
      budget: trainBudgetSchema,
      options: trainOptionsSchema.optional(),
    }),
    internalParameters: z.record(z.string(), z.unknown()),
    resolvedDependencies: z.array(resourceDescriptorSchema),
  }),
  runDetails: z.strictObject({
    builder: z.strictObject({ id: z.string().startsWith(BUILDER_PREFIX) }),
    metadata: z.strictObject({ invocationId: z.string(), startedOn: z.string(), finishedOn: z.string() }),
    byproducts: z.array(resourceDescriptorSchema),
  }),
});

/** What lineage asks of a training run. */
export interface TrainingRun {
  readonly artifact: Digest;
  readonly dataset: DatasetRef;
  readonly base: Digest;
  readonly trainerCode: Digest;
  readonly jobId: string;
  readonly builder: string;
  readonly objective: string;
  /** Models that vote in the artifact; null where it is a single one. */
  readonly members: number | null;
  readonly hyperparameters: z.infer<typeof hyperparametersSchema>;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** Reads a verified statement back. Throws TypeError where it is not the provenance of one training run. */
export function readTrainingProvenance(statement: Statement): TrainingRun {
  const predicate = predicateSchema.safeParse(statement.predicate);
  const [subject, ...more] = statement.subject;
  if (statement.predicateType !== PROVENANCE_TYPE || !predicate.success || !subject || more.length > 0)
    throw new TypeError('the statement is not the provenance of one training run');
  const { buildDefinition, runDetails } = predicate.data;
  const dependency = (name: string): ResourceDescriptor => {
    const [only, ...others] = buildDefinition.resolvedDependencies.filter((candidate) => candidate.name === name);
    if (!only || others.length > 0) throw new TypeError(`the provenance does not name one ${name}`);
    return only;
  };
  return {
    artifact: digestIn(subject),
    dataset: datasetIn(dependency(DATASET)),
    base: digestIn(dependency(BASE)),
    trainerCode: digestIn(dependency(CODE)),
    jobId: runDetails.metadata.invocationId,
    builder: decodeURIComponent(runDetails.builder.id.slice(BUILDER_PREFIX.length)),
    objective: buildDefinition.externalParameters.objective,
    members: buildDefinition.externalParameters.options?.partitionVote?.partitions ?? null,
    hyperparameters: buildDefinition.externalParameters.hyperparameters,
    startedAt: runDetails.metadata.startedOn,
    finishedAt: runDetails.metadata.finishedOn,
  };
}

function descriptor(name: string, object: ObjectRef): ResourceDescriptor {
  return { name, digest: { sha256: hexOf(object.digest) }, mediaType: object.mediaType };
}

function digestIn({ digest }: ResourceDescriptor): Digest {
  return parseDigest(`sha256:${digest.sha256}`);
}

function datasetIn(dependency: ResourceDescriptor): DatasetRef {
  const dataset = datasetRefSchema.safeParse(dependency.annotations?.['dataset']);
  // The descriptor's digest is what other tools check; a reference that says something else would lead ours astray.
  if (!dataset.success || dataset.data.manifest.digest !== digestIn(dependency))
    throw new TypeError('the provenance does not say which data set version was trained on');
  return dataset.data;
}
