import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { heartbeat } from '@temporalio/activity';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { createTemporalClient } from '../../../clients/temporal/connect.ts';
import {
  DecisionRefused,
  IncidentNotFound,
  RunNotFound,
  TemporalUnavailable,
} from '../../../clients/temporal/errors.ts';
import { createIncidentClient, type IncidentClient } from '../../../clients/temporal/incident-client.ts';
import { createRunClient, type RunClient } from '../../../clients/temporal/run-client.ts';
import { alertSchema, type Alert } from '../../../domain/contracts/alert.ts';
import { RESPONSE_QUEUE } from '../../../domain/contracts/messages.ts';
import { SEARCH_ATTRIBUTES } from '../../../domain/contracts/search-attributes.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { enginePath, freePort } from '../../engines.ts';

const path = enginePath('temporal');
const withTemporal = path ? describe : describe.skip;

function alertOf(endpoint: string, deliveryId: string): Alert {
  return alertSchema.parse({
    source: 'generic',
    deliveryId,
    endpoint,
    kind: 'poisoning',
    status: 'firing',
    claimedSeverity: null,
    title: 'a stop sign with a sticker',
    labels: {},
    startsAt: '2026-01-01T00:00:00Z',
    receivedAt: '2026-01-01T00:00:01Z',
    body: '{}',
    bodyDigest: digestOf('{}'),
  });
}

const BEAT = { jobId: 'beating', steps: 1000, epoch: 0, loss: 0.5, checkpointStep: 0, worker: 'w-1' };
let trained = false;

withTemporal('the Temporal client', () => {
  let environment: TestWorkflowEnvironment;
  let worker: Worker;
  let running: Promise<void>;
  let incidents: IncidentClient;
  let runs: RunClient;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('WARN', () => undefined) });
    environment = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: path ?? '' },
        extraArgs: Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
      },
    });
    const workflowBundle = await bundleWorkflowCode({
      logger: new DefaultLogger('ERROR'),
      workflowsPath: fileURLToPath(new URL('./tiny-workflow.ts', import.meta.url)),
    });
    worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: RESPONSE_QUEUE,
      workflowBundle,
      maxHeartbeatThrottleInterval: 50,
      activities: {
        async train() {
          for (let step = 1; !trained; step += 1) {
            heartbeat({ ...BEAT, step, curve: [{ step, loss: 0.5, attackSuccess: 0.1 }] });
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        },
      },
    });
    running = worker.run();
    incidents = createIncidentClient(environment.client);
    runs = createRunClient(environment.client);
  }, 90_000);

  afterAll(async () => {
    worker?.shutdown();
    await running;
    await environment?.teardown();
  }, 30_000);

  it('joins the alerts of one endpoint in one incident, and finds it at once', async () => {
    const first = await incidents.raiseAlert(alertOf('signs', 'd1'));
    const second = await incidents.raiseAlert(alertOf('signs', 'd2'));
    expect(second.incident).toBe(first.incident);
    expect(first.incident).toMatch(/^signs-[0-9a-f]{8}$/);
    expect(await incidents.state(first.incident)).toMatchObject({ incident: first.incident, alerts: ['d1', 'd2'] });
    expect(await incidents.entries(first.incident, 1)).toMatchObject([{ summary: 'd2' }]);
  });

  it('tells how far the training of an incident is, from the heartbeats of its trainer', async () => {
    const { incident } = await incidents.raiseAlert(alertOf('lights', 'd1'));
    expect((await incidents.state(incident)).training.progress).toBeNull();
    await incidents.decide(incident, 'train');
    const seen = new Map<number, unknown>();
    for (let attempt = 0; attempt < 200 && seen.size < 2; attempt += 1) {
      const { progress } = (await incidents.state(incident)).training;
      if (progress) seen.set(progress.step, progress.curve);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    trained = true;
    await environment.client.workflow.getHandle('incident:lights').result();
    expect(seen.size).toBe(2);
    for (const [step, curve] of seen) expect(curve).toEqual([{ step, loss: 0.5, attackSuccess: 0.1 }]);
  });

  it('opens no incident for a resolved alert, and adds it to an open one', async () => {
    expect(await incidents.noteResolved(alertOf('quiet', 'd1'))).toBeNull();
    const { incident } = await incidents.raiseAlert(alertOf('quiet', 'd1'));
    expect(await incidents.noteResolved(alertOf('quiet', 'd2'))).toMatchObject({ incident });
    expect(await incidents.state(incident)).toMatchObject({ alerts: ['d1', 'd2'] });
    await incidents.decide(incident, 'close');
    await environment.client.workflow.getHandle('incident:quiet').result();
    expect(await incidents.noteResolved(alertOf('quiet', 'd3'))).toBeNull();
  });

  it('lists from visibility by endpoint and by openness', async () => {
    const { incident } = await incidents.raiseAlert(alertOf('lanes', 'd1'));
    let row;
    for (let attempt = 0; attempt < 100 && row?.waiting !== 'plan'; attempt += 1) {
      [row] = await incidents.list({ open: true, endpoint: 'lanes', limit: 10 });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(row).toMatchObject({
      incident,
      endpoint: 'lanes',
      open: true,
      kind: 'poisoning',
      waiting: 'plan',
      outcome: null,
    });
    expect(await incidents.list({ open: false, endpoint: 'lanes', limit: 10 })).toEqual([]);
  });

  it('gives the sentence of the workflow when it refuses a decision', async () => {
    const { incident } = await incidents.raiseAlert(alertOf('refusals', 'd1'));
    await expect(incidents.decide(incident, 'forged')).rejects.toMatchObject({
      name: 'DecisionRefused',
      message: 'the signature does not verify',
    });
    expect(await incidents.decide(incident, 'good')).toMatchObject({ accepted: true, person: 'ada' });
    await expect(incidents.decide(incident, 'late')).rejects.toThrow(DecisionRefused);
  });

  it('keeps the name of an incident over continue-as-new', async () => {
    const first = await incidents.raiseAlert(alertOf('again', 'd1'));
    await incidents.decide(first.incident, 'again');
    let second = await incidents.raiseAlert(alertOf('again', 'd2'));
    for (let attempt = 0; attempt < 50 && second.runId === first.runId; attempt += 1)
      second = await incidents.raiseAlert(alertOf('again', 'd2'));
    expect(second.runId).not.toBe(first.runId);
    expect(second.incident).toBe(first.incident);
    expect(await incidents.state(first.incident)).toMatchObject({ incident: first.incident });
  });

  it('finds closed incidents after a new one was opened on the endpoint, and watches to the end', async () => {
    const first = await incidents.raiseAlert(alertOf('twice', 'd1'));
    const seen: string[] = [];
    const watching = (async () => {
      for await (const batch of incidents.watch(first.incident, { pollMs: 20 }))
        seen.push(...batch.map((entry) => entry.summary));
    })();
    await incidents.raiseAlert(alertOf('twice', 'd2'));
    await incidents.decide(first.incident, 'close');
    await watching;
    expect(seen).toEqual(['d1', 'd2']);
    const second = await incidents.raiseAlert(alertOf('twice', 'd3'));
    expect(second.incident).not.toBe(first.incident);
    expect(await incidents.state(first.incident)).toMatchObject({ alerts: ['d1', 'd2'] });
  });

  it('knows no incident that never was, and lets no name reach a query as text', async () => {
    for (const name of ['signs-00000000', 'nowhere-00000000', 'x" OR WorkflowType = "incident', '']) {
      await expect(incidents.find(name)).rejects.toThrow(IncidentNotFound);
    }
    expect(await incidents.list({ endpoint: 'x" OR ""="', limit: 5 })).toEqual([]);
  });

  it('starts a training run once and tells what it came to', async () => {
    const input = (jobId: string) =>
      JSON.parse(JSON.stringify({ job: { jobId }, queue: 'trainer', builder: 'pipeline' }));
    const id = await runs.startRetrain(input('job-1'));
    expect(await runs.retrainResult(id)).toMatchObject({ result: { jobId: 'job-1' } });
    expect(await runs.startRetrain(input('job-1'))).toBe(id);
    expect(await runs.retrain(id)).toMatchObject({ status: 'completed' });
    await expect(runs.retrain('never')).rejects.toThrow(RunNotFound);
  });

  it('names Temporal as the one that is away', async () => {
    const away = createTemporalClient({
      LAZARET_TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}`,
      LAZARET_TEMPORAL_NAMESPACE: 'default',
    });
    await expect(createIncidentClient(away.client).raiseAlert(alertOf('signs', 'd9'))).rejects.toThrow(
      TemporalUnavailable,
    );
    await away.close();
  });
});
