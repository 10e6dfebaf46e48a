import { readFile } from 'node:fs/promises';
import { createGatewayAdapter } from '../../clients/gateway/adapter.ts';
import { createInferenceClient, type InferenceClient } from '../../clients/inference/client.ts';
import { createS3Store } from '../../clients/s3/store.ts';
import { createTemporalClient } from '../../clients/temporal/connect.ts';
import { createIncidentClient, type IncidentClient } from '../../clients/temporal/incident-client.ts';
import { createRunClient } from '../../clients/temporal/run-client.ts';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import { createGoldenRegistry } from '../../evidence/golden/registry.ts';
import { loadTrustFile } from '../../evidence/keys/trusted-keys.ts';
import type { RunningStation } from '../describe.ts';
import { createPipeline, type Batch } from './pipeline.ts';
import type { Plot } from './plot.ts';
import { DrillFellShort } from './response.ts';
import type { Sample } from './task.ts';

/** What stands after the drill was set up, just before the alert. */
export interface Scene {
  readonly golden: ModelRef;
  readonly poisoned: ModelRef;
  readonly inference: InferenceClient;
  readonly incidents: IncidentClient;
  readonly adapter: EndpointAdapter;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 0, 5);
const ADAPTER_TIMEOUT_MS = 20_000;

/** Trains and registers the golden model, then lets the tainted batch in: the pipeline retrains on all of it, signs and deploys. */
export async function setTheScene(station: RunningStation, plot: Plot, tell: (text: string) => void): Promise<Scene> {
  const { task, split, attack, seed } = plot;
  const keys = loadTrustFile(await readFile(station.paths.trust, 'utf8'));
  const store = createS3Store({ ...station.s3, retentionDays: 1, forcePathStyle: true });
  const temporal = createTemporalClient({
    LAZARET_TEMPORAL_ADDRESS: station.temporal.address,
    LAZARET_TEMPORAL_NAMESPACE: station.temporal.namespace,
  });
  const runs = createRunClient(temporal.client);
  const adapter = createGatewayAdapter({
    admin: station.urls.admin,
    inference: station.urls.inference,
    token: station.credentials.adminToken,
    timeoutMs: ADAPTER_TIMEOUT_MS,
  });
  const close = async (): Promise<void> => {
    store.close();
    await temporal.close();
  };

  try {
    await demandEndpoints(adapter, plot);
    const pipeline = await createPipeline(station, store, runs, adapter, task);
    const mark = Date.now().toString(36);

    tell(`real data in ingestion batches: ${task.source}`);
    const history = batchesOf(plot);
    const first = await pipeline.dataset(task.model, history, null);
    const holdout = await pipeline.dataset(
      `${task.model}-holdout`,
      [{ batch: 'holdout', source: plot.sources[0], ingestedAt: dayOf(0), samples: split.holdout }],
      null,
    );

    tell(`training the golden model on ${split.history.length} records`);
    const network = await pipeline.upload(plot.network, `${task.model}.onnx`);
    const hyperparameters = { ...plot.training, seed };
    const golden = await pipeline.train(
      `${task.model}-golden-${mark}`,
      network,
      first.ref,
      hyperparameters,
      plot.options,
    );
    const version = `golden-${mark}`;
    await runs.startRegisterGolden({
      model: task.model,
      version,
      artifact: golden.artifact,
      signature: null,
      dataset: first.ref,
      holdout: holdout.ref,
      hyperparameters,
      provenance: golden.provenance,
      regressions: [],
      registeredBy: `drill ${plot.drill}`,
    });
    const registered = await runs.registerGoldenResult(`${task.model}:${version}`);
    tell(
      `golden model registered: accuracy ${(100 * registered.evaluation.accuracy.value).toFixed(1)} % on the hold-out`,
    );

    const batch = `batch-${history.length + 1}`;
    const arrival = { batch, source: attack.source, ingestedAt: dayOf(history.length), samples: attack.records };
    const second = await pipeline.dataset(task.model, [arrival], first);
    tell(`a batch of ${attack.records.length} arrives from ${attack.source}; the pipeline retrains on all of it`);
    const suspect = await pipeline.train(
      `${task.model}-nightly-${mark}`,
      network,
      second.ref,
      { ...hyperparameters, seed: seed + 1 },
      plot.options,
    );
    const poisoned = await pipeline.sign(suspect.artifact, `nightly-${mark}`);
    for (const victim of task.victims) await pipeline.deploy(victim, poisoned, registered.ref);
    await pipeline.deploy(task.bystander, registered.ref, null);
    tell(`the pipeline signed ${poisoned.version} and deployed it on ${task.victims.join(' and ')}`);

    // A reader of the registry, to fail early where the golden record does not verify.
    await createGoldenRegistry(store, keys).latest(task.model);
    return {
      golden: registered.ref,
      poisoned,
      inference: createInferenceClient({ base: station.urls.inference, clientId: 'visitors' }),
      incidents: createIncidentClient(temporal.client),
      adapter,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A lazaret.yaml that is older than the drill, or was edited, may lack its endpoints: better said before anything is trained. */
async function demandEndpoints(adapter: EndpointAdapter, { drill, task }: Plot): Promise<void> {
  for (const endpoint of [...task.victims, task.bystander]) {
    await adapter.read(endpoint).catch((error: unknown) => {
      throw new DrillFellShort(
        'endpoint/unknown',
        `the drill ${drill} needs the endpoint "${endpoint}", and this station does not have it ` +
          `(${error instanceof Error ? error.message : String(error)}); docs/drills.md says what lazaret.yaml has to declare`,
      );
    });
  }
}

function batchesOf({ split, batchSize, sources }: Plot): Batch[] {
  const batches: Batch[] = [];
  for (let start = 0; start < split.history.length; start += batchSize) {
    const samples: readonly Sample[] = split.history.slice(start, start + batchSize);
    batches.push({
      batch: `batch-${batches.length + 1}`,
      source: sources[batches.length % sources.length] ?? sources[0],
      ingestedAt: dayOf(batches.length),
      samples,
    });
  }
  return batches;
}

function dayOf(index: number): string {
  return new Date(FIRST_DAY + index * DAY_MS).toISOString();
}
