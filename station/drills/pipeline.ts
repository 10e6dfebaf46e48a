import { readFile } from 'node:fs/promises';
import type { RunClient } from '../../clients/temporal/run-client.ts';
import type { DatasetRef, Shard } from '../../domain/contracts/dataset.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { STANCE_TYPE, type ModelRef, type Stance, type StanceOrder } from '../../domain/contracts/stance.ts';
import type { Hyperparameters, TrainJob, TrainOptions } from '../../domain/contracts/trainer.ts';
import { hexOf } from '../../domain/proofs/digest.ts';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import { writeDataset } from '../../evidence/dataset/write.ts';
import { createSigner, signCompactJws } from '../../evidence/keys/signer.ts';
import { signModel } from '../../evidence/model-signing/sign.ts';
import { DOCUMENTS, type Signer, type Store } from '../../evidence/ports.ts';
import type { RunningStation } from '../describe.ts';
import type { Sample, Task } from './task.ts';

export interface Batch {
  readonly batch: string;
  readonly source: string;
  readonly ingestedAt: string;
  readonly samples: readonly Sample[];
}

/**
 * The organisation's own training pipeline, with its own keys: it registers data, trains, signs and deploys. It is honest and careless,
 * which is how a poisoned model comes to be served with a valid signature.
 */
export interface Pipeline {
  dataset(
    name: string,
    batches: readonly Batch[],
    earlier: { ref: DatasetRef; shards: readonly Shard[] } | null,
  ): Promise<{ ref: DatasetRef; shards: readonly Shard[] }>;
  upload(bytes: Uint8Array, name: string): Promise<ObjectRef>;
  train(
    jobId: string,
    base: ObjectRef,
    dataset: DatasetRef,
    hyperparameters: Hyperparameters,
    options?: TrainOptions,
  ): Promise<{ artifact: ObjectRef; provenance: ObjectRef }>;
  sign(artifact: ObjectRef, version: string): Promise<ModelRef>;
  deploy(endpoint: string, model: ModelRef, standby: ModelRef | null): Promise<void>;
}

export async function createPipeline(
  station: RunningStation,
  store: Store,
  runs: RunClient,
  adapter: EndpointAdapter,
  { classes, featureShape }: Pick<Task, 'classes' | 'featureShape'>,
): Promise<Pipeline> {
  const pipeline = await signerOf(station, 'pipeline');
  const deployer = await signerOf(station, 'deployer');
  let revision = 0;

  return {
    dataset: async (name, batches, earlier) => {
      const written = await writeDataset(store, pipeline, {
        name,
        classes,
        featureShape,
        batches: batches.map(({ batch, source, ingestedAt, samples }) => ({
          batch,
          source,
          ingestedAt,
          records: samples.map((sample) => ({
            id: sample.id,
            features: Float32Array.from(sample.features),
            label: sample.label,
          })),
        })),
        shards: earlier?.shards ?? [],
        parent: earlier?.ref.manifest.digest ?? null,
        createdBy: 'pipeline',
        createdAt: batches.at(-1)?.ingestedAt ?? new Date(0).toISOString(),
      });
      return { ref: written.ref, shards: written.manifest.shards };
    },

    upload: (bytes, name) => store.put('artifacts', bytes, { mediaType: 'application/onnx', name }),

    train: async (jobId, base, dataset, hyperparameters, options) => {
      const job: TrainJob = {
        schema: 'lazaret.train-job/v1',
        jobId,
        objective: 'standard',
        ...(options && { options }),
        base,
        dataset,
        hyperparameters,
        budget: { seconds: 600, steps: 100_000 },
        checkpointEverySteps: 100,
      };
      const run = await runs.startRetrain({ job, queue: 'trainer', builder: 'pipeline' });
      const { result, provenance } = await runs.retrainResult(run);
      return { artifact: result.artifact, provenance };
    },

    sign: async (artifact, version) => {
      const bundle = signModel([{ name: 'model.onnx', bytes: await store.get(artifact) }], pipeline);
      const signature = await store.put('artifacts', bundle, {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        name: 'model.onnx.sig',
      });
      return { version, artifact, signature };
    },

    deploy: async (endpoint, model, standby) => {
      revision = Math.max(Date.now(), revision + 1);
      const stance: Stance = { kind: 'serving', model, standby };
      const order: StanceOrder = {
        orderId: `deploy/${endpoint}/${hexOf(model.artifact.digest).slice(0, 12)}/${revision}`,
        endpoint,
        incident: null,
        revision,
        stance,
        issuer: 'pipeline',
        issuedAt: new Date(revision).toISOString(),
      };
      const token = signCompactJws(order, STANCE_TYPE, deployer);
      await adapter.restore(endpoint, token);
      await store.writeDocument(DOCUMENTS.stance(endpoint), new TextEncoder().encode(token), 'application/jose', 'any');
    },
  };
}

async function signerOf(station: RunningStation, name: 'pipeline' | 'deployer'): Promise<Signer> {
  return createSigner({ name, privatePem: await readFile(station.keys[name].file, 'utf8') });
}
