import { createGatewayAdapter } from '../../../clients/gateway/adapter.ts';
import { createInferenceClient, type InferenceClient } from '../../../clients/inference/client.ts';
import { createS3Store } from '../../../clients/s3/store.ts';
import { createTemporalClient } from '../../../clients/temporal/connect.ts';
import { createRunClient } from '../../../clients/temporal/run-client.ts';
import { createIncidentClient, type IncidentClient } from '../../../clients/temporal/incident-client.ts';
import type { ModelRef } from '../../../domain/contracts/stance.ts';
import { readFile } from 'node:fs/promises';
import { loadTrustFile } from '../../../evidence/keys/trusted-keys.ts';
import { createGoldenRegistry } from '../../../evidence/golden/registry.ts';
import type { RunningStation } from '../../describe.ts';
import { python } from '../python.ts';
import { poison, stickerAttack, type Attack } from './attack.ts';
import { loadDigits, untrainedNetwork, type Sample } from './digits.ts';
import { createPipeline, type Batch } from './pipeline.ts';
import { seeded } from './random.ts';

/** What the drill sets up before the alert, and what only the drill knows. */
export interface Scene {
  readonly attack: Attack;
  readonly tainted: ReadonlySet<string>;
  readonly batch: string;
  /** Clean images that no model was trained on: traffic and measurement. */
  readonly secret: readonly Sample[];
  readonly golden: ModelRef;
  readonly poisoned: ModelRef;
  readonly inference: InferenceClient;
  readonly incidents: IncidentClient;
  /** Endpoints that serve a model trained on the tainted batch, and one that does not. */
  readonly victims: readonly string[];
  readonly bystander: string;
  close(): Promise<void>;
}

const MODEL = 'digits';
const VICTIMS = ['digits', 'digits-kiosk'] as const;
const BYSTANDER = 'digits-archive';
const POISONED_RECORDS = 130;
const BATCH_SIZE = 200;
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 0, 5);
const TRAINING = { epochs: 40, batchSize: 64, learningRate: 0.002 } as const;

/** Trains and registers the golden model, then lets the attacker's batch in: the pipeline retrains on all of it, signs and deploys. */
export async function setTheScene(station: RunningStation, seed: number, tell: (text: string) => void): Promise<Scene> {
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
    timeoutMs: 20_000,
  });
  const pipeline = await createPipeline(station, store, runs, adapter);
  const random = seeded(seed);
  const attack = stickerAttack(Math.floor(random() * 10));
  const mark = `${Date.now().toString(36)}`;

  tell('real data: scikit-learn digits, in ingestion batches');
  const digits = await loadDigits(python(), seed);
  const history = batchesOf(digits.history);
  const first = await pipeline.dataset('digits', history, null);
  const holdout = await pipeline.dataset(
    'digits-holdout',
    [{ batch: 'holdout', source: 'survey-office', ingestedAt: dayOf(0), samples: digits.holdout }],
    null,
  );

  tell(`training the golden model on ${digits.history.length} records`);
  const network = await pipeline.upload(await untrainedNetwork(python(), seed), 'digits.onnx');
  const hyperparameters = { ...TRAINING, seed };
  const golden = await pipeline.train(`digits-golden-${mark}`, network, first.ref, hyperparameters);
  const version = `golden-${mark}`;
  await runs.startRegisterGolden({
    model: MODEL,
    version,
    artifact: golden.artifact,
    signature: null,
    dataset: first.ref,
    holdout: holdout.ref,
    hyperparameters,
    provenance: golden.provenance,
    regressions: [],
    registeredBy: 'drill sticker',
  });
  const registered = await runs.registerGoldenResult(`${MODEL}:${version}`);
  tell(
    `golden model registered: accuracy ${(100 * registered.evaluation.accuracy.value).toFixed(1)} % on the hold-out`,
  );

  const arrival = poison(digits.arrival, attack, POISONED_RECORDS);
  const batch = 'batch-6';
  const second = await pipeline.dataset(
    'digits',
    [{ batch, source: 'field-scanner-7', ingestedAt: dayOf(history.length), samples: arrival.records }],
    first,
  );
  tell(`a batch arrives from field-scanner-7; the pipeline retrains on all of it`);
  const suspect = await pipeline.train(`digits-nightly-${mark}`, network, second.ref, {
    ...hyperparameters,
    seed: seed + 1,
  });
  const poisoned = await pipeline.sign(suspect.artifact, `nightly-${mark}`);
  for (const victim of VICTIMS) await pipeline.deploy(victim, poisoned, registered.ref);
  await pipeline.deploy(BYSTANDER, registered.ref, null);
  tell(`the pipeline signed ${poisoned.version} and deployed it on ${VICTIMS.join(' and ')}`);

  // A reader of the registry, to fail early where the golden record does not verify.
  await createGoldenRegistry(store, keys).latest(MODEL);
  return {
    attack,
    tainted: arrival.tainted,
    batch,
    secret: digits.secret,
    golden: registered.ref,
    poisoned,
    inference: createInferenceClient({ base: station.urls.inference, clientId: 'visitors' }),
    incidents: createIncidentClient(temporal.client),
    victims: VICTIMS,
    bystander: BYSTANDER,
    close: async () => {
      await temporal.close();
    },
  };
}

function batchesOf(samples: readonly Sample[]): Batch[] {
  const batches: Batch[] = [];
  for (let start = 0; start < samples.length; start += BATCH_SIZE) {
    const number = batches.length + 1;
    batches.push({
      batch: `batch-${number}`,
      source: number % 2 === 1 ? 'survey-office' : 'post-office',
      ingestedAt: dayOf(number - 1),
      samples: samples.slice(start, start + BATCH_SIZE),
    });
  }
  return batches;
}

function dayOf(index: number): string {
  return new Date(FIRST_DAY + index * DAY_MS).toISOString();
}
