/**
 * Records the histories that `replay.test.ts` replays: plays every story against a real dev server and keeps what Temporal kept of it.
 * Run by hand, after a change that is meant to leave no incident open: `node_modules/.bin/node test/replay/record.ts [story …]`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { RegisterGoldenInput } from '../../domain/contracts/activities.ts';
import { incidentWorkflowId, REGISTER_GOLDEN_WORKFLOW, RESPONSE_QUEUE } from '../../domain/contracts/messages.ts';
import { SEARCH_ATTRIBUTES } from '../../domain/contracts/search-attributes.ts';
import { enginePath } from '../engines.ts';
import { alertOn, createFakeWorld, modelNamed, objectNamed } from '../workflows/fake-world.ts';
import { stageOf } from '../workflows/stage.ts';
import { STORIES, type Story } from './stories.ts';

const FOLDER = new URL('./histories/', import.meta.url);
/** Temporal writes the identity of whoever acts into each event; by default it is `<pid>@<host>`. */
const IDENTITY = 'recorder';
const QUIET = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

async function main(): Promise<void> {
  const path = enginePath('temporal');
  if (!path) throw new Error('the temporal server is not installed: run npm run setup');
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      extraArgs: Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    },
  });
  try {
    const bundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
      logger: QUIET,
    });
    const wanted = process.argv.slice(2);
    mkdirSync(FOLDER, { recursive: true });
    for (const [name, story] of Object.entries(STORIES)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      await recordStory(environment, bundle, name, story);
    }
    if (wanted.length === 0 || wanted.includes('register-golden')) await recordRegistration(environment, bundle);
  } finally {
    await environment.teardown();
  }
}

async function recordStory(
  environment: TestWorkflowEnvironment,
  bundle: WorkflowBundleWithSourceMap,
  name: string,
  story: Story,
): Promise<void> {
  const world = createFakeWorld();
  story.prepare?.(world);
  const client = new Client({ connection: environment.connection, identity: IDENTITY });
  const connected = { connection: environment.nativeConnection, identity: IDENTITY };
  const worker = await Worker.create({
    ...connected,
    taskQueue: RESPONSE_QUEUE,
    workflowBundle: bundle,
    activities: world.activities,
  });
  const late: { trainer: Worker; running: Promise<void> }[] = [];
  const serveTrainer = async (queue: string): Promise<void> => {
    const trainer = await Worker.create({ ...connected, taskQueue: queue, activities: world.activities });
    late.push({ trainer, running: trainer.run() });
  };
  await worker.runUntil(async () => {
    const handle = await client.workflow.signalWithStart('incident', {
      taskQueue: RESPONSE_QUEUE,
      workflowId: incidentWorkflowId('digits'),
      args: [{ endpoint: 'digits' }],
      signal: 'alert',
      signalArgs: [alertOn('digits')],
    });
    const at = stageOf(world, handle);
    await story.play(at, serveTrainer);
    const { outcome } = (await handle.result()) as { outcome: string };
    if (outcome !== story.outcome) throw new Error(`${name} ended as ${outcome} instead of ${story.outcome}`);
    write(name, await handle.fetchHistory());
    if (name !== 'repaired' && name !== 'trainer-absent-first') return;
    const job = world.calls.find((call) => call.name === 'train')?.input as { jobId: string };
    const child = client.workflow.getHandle(`${at.incident}/retrain/${job.jobId}`);
    write(name === 'repaired' ? 'retrain' : 'retrain-after-waiting', await child.fetchHistory());
  });
  for (const { trainer, running } of late) {
    trainer.shutdown();
    await running;
  }
}

/** The way in for a golden model, a workflow of its own. */
async function recordRegistration(
  environment: TestWorkflowEnvironment,
  bundle: WorkflowBundleWithSourceMap,
): Promise<void> {
  const world = createFakeWorld();
  const client = new Client({ connection: environment.connection, identity: IDENTITY });
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    identity: IDENTITY,
    taskQueue: RESPONSE_QUEUE,
    workflowBundle: bundle,
    activities: world.activities,
  });
  const dataset = { name: 'digits', manifest: objectNamed('manifest-1'), signature: objectNamed('manifest-1.sig') };
  const input: RegisterGoldenInput = {
    model: 'digits',
    version: 'golden-1',
    artifact: modelNamed('golden-1').artifact,
    signature: null,
    dataset,
    holdout: dataset,
    hyperparameters: { epochs: 1, batchSize: 8, learningRate: 0.001, seed: 1 },
    provenance: null,
    regressions: [],
    registeredBy: 'recorder',
  };
  await worker.runUntil(async () => {
    const handle = await client.workflow.start(REGISTER_GOLDEN_WORKFLOW, {
      taskQueue: RESPONSE_QUEUE,
      workflowId: 'golden:digits:golden-1',
      args: [input],
    });
    await handle.result();
    write('register-golden', await handle.fetchHistory());
  });
}

/** A history as gzipped JSON, without what says on which machine and in which folder it was recorded. */
function write(name: string, history: Parameters<typeof historyToJSON>[0]): void {
  const anonymous: unknown = JSON.parse(historyToJSON(history), (key, value: unknown) =>
    key === 'identity' ? IDENTITY : key === 'stackTrace' ? '' : value,
  );
  const packed = gzipSync(JSON.stringify(anonymous), { level: 9 });
  writeFileSync(new URL(`${name}.json.gz`, FOLDER), packed);
  process.stdout.write(`${name}: ${history.events?.length ?? 0} events, ${(packed.length / 1024).toFixed(0)} KiB\n`);
}

await main();
