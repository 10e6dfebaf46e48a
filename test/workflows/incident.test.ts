import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import type { temporal } from '@temporalio/proto';
import { fileURLToPath } from 'node:url';
import type { Stamped } from '../../domain/contracts/activities.ts';
import { SEARCH_ATTRIBUTES } from '../../domain/contracts/search-attributes.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { merkleRootHex } from '../../domain/proofs/merkle.ts';
import { enginePath } from '../engines.ts';
import { alertOn, createFakeWorld, say, type FakeWorld } from './fake-world.ts';
import { stageOf, type Stage } from './stage.ts';

const engine = enginePath('temporal');
const withEngine = engine ? describe : describe.skip;
const QUIET = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** What was scheduled on a trainer's queue: its place in the history, and how long it may wait to begin. */
function askedOfTrainers(events: readonly HistoryEvent[]) {
  return events.flatMap(({ activityTaskScheduledEventAttributes: asked }, place) => {
    const name = asked?.activityType?.name ?? '';
    return name === 'examine' || name === 'explain'
      ? [{ name, place, seconds: Number(asked?.scheduleToStartTimeout?.seconds) }]
      : [];
  });
}

/** What an analyser was given of the trainer's answer. */
function toldTo({ world }: Stage, analyser: string): unknown {
  return world.calls
    .map((call) => call.input as { analyser?: string; examination?: unknown })
    .find((input) => input.analyser === analyser)?.examination;
}

/** Drafts a question for a queue that a trainer has a second to take it from. */
function sentTo(world: FakeWorld, draft: 'draftExamination' | 'draftExplanation', queue: string): void {
  const drafted = world.activities[draft] as (input: never) => Promise<Stamped<{ job: unknown }>>;
  world.activities[draft] = (async (input: never) => {
    const { value, at } = await drafted(input);
    return { at, value: value.job === null ? value : { ...value, queue, waitSeconds: 1 } };
  }) as never;
}

withEngine('an incident', () => {
  let environment: TestWorkflowEnvironment;
  let bundle: WorkflowBundleWithSourceMap;

  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    environment = await TestWorkflowEnvironment.createLocal({
      server: {
        executable: { type: 'existing-path', path: engine! },
        extraArgs: Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
      },
    });
    bundle = await bundleWorkflowCode({
      workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)),
      logger: QUIET,
    });
  }, 60_000);
  afterAll(async () => {
    await environment?.teardown();
  });

  /** Runs `story` beside a worker that serves a fake world. */
  async function inWorld(
    story: (at: Stage) => Promise<void>,
    prepare: (world: FakeWorld) => void = () => {},
  ): Promise<void> {
    const world = createFakeWorld();
    prepare(world);
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: 'response',
      workflowBundle: bundle,
      activities: world.activities,
    });
    await worker.runUntil(async () => {
      const handle = await environment.client.workflow.signalWithStart('incident', {
        taskQueue: 'response',
        workflowId: `incident:digits:${Math.random()}`,
        args: [{ endpoint: 'digits' }],
        signal: 'alert',
        signalArgs: [alertOn('digits')],
      });
      const at = stageOf(world, handle);
      await story(at);
      const description = await handle.describe();
      if (description.status.name === 'RUNNING') await handle.terminate('the test is over');
      // Every story must replay: what a story leaves in history is all that a restarted worker has.
      const history = await handle.fetchHistory();
      await Worker.runReplayHistory({ workflowBundle: bundle }, history, handle.workflowId);
    });
  }

  it('goes from alert to signed redeploy, with one approval for the plan and two for the release', async () => {
    await inWorld(async (at) => {
      const plan = await at.waitsAt('plan');
      expect(await at.decide('ada', 'ml-engineer', 'plan', plan)).toMatchObject({ accepted: true, remaining: 0 });
      const release = await at.waitsAt('release');
      expect(await at.decide('sol', 'security-lead', 'release', release)).toMatchObject({ remaining: 1 });
      expect(await at.decide('mo', 'model-owner', 'release', release)).toMatchObject({ remaining: 0 });
      const result = await at.handle.result();
      expect(result).toMatchObject({ outcome: 'repaired' });
      const state = await at.state();
      expect(state).toMatchObject({ status: 'closed', outcome: 'repaired', stances: { digits: 'serving' } });
      const order = at.world.calls.map((call) => call.name);
      for (const [earlier, later] of [
        ['captureAndSwap', 'publishStance'],
        ['captureAndSwap', 'preserveCapture'],
        ['preserveCapture', 'analyse'],
        ['draftPlan', 'sanitizeDataset'],
        ['train', 'validateCandidate'],
        ['signRelease', 'observeCanary'],
        ['observeCanary', 'promoteGolden'],
      ]) {
        expect(order.indexOf(earlier!)).toBeLessThan(order.indexOf(later!));
      }
    });
  });

  it('waits as long as the model allows for a trainer to begin an examination, for all its questions at once, and leaves them open', async () => {
    await inWorld(
      async (at) => {
        await at.waitsAt('plan');
        const events = (await at.handle.fetchHistory()).events ?? [];
        const asked = askedOfTrainers(events);
        expect(asked.map(({ name }) => name).toSorted()).toEqual(['examine', 'explain']);
        for (const { seconds } of asked) expect(seconds).toBe(1);
        const given = events.findIndex((event) => event.activityTaskTimedOutEventAttributes);
        for (const { place } of asked) expect(place).toBeLessThan(given);
        for (const analyser of ['backdoor', 'activations'])
          expect(toldTo(at, analyser)).toEqual({
            result: null,
            reason: expect.stringMatching(/^No trainer answered/),
          });
      },
      (world) => {
        sentTo(world, 'draftExamination', 'nobody');
        sentTo(world, 'draftExplanation', 'nobody');
      },
    );
  });

  it('asks a trainer that was busy with the search for a backdoor once more what went on inside', async () => {
    await inWorld(
      async (at) => {
        await at.waitsAt('plan');
        const asked = askedOfTrainers((await at.handle.fetchHistory()).events ?? []);
        expect(asked.map(({ name }) => name).toSorted()).toEqual(['examine', 'explain', 'explain']);
        expect(toldTo(at, 'backdoor')).toMatchObject({ result: { verdict: 'clean' } });
        expect(toldTo(at, 'activations')).toMatchObject({ result: null });
      },
      (world) => sentTo(world, 'draftExplanation', 'nobody'),
    );
  });

  it('does not wait for a trainer that does not know the question', async () => {
    await inWorld(
      async (at) => {
        await at.waitsAt('plan');
        expect(toldTo(at, 'activations')).toEqual({
          result: null,
          reason: expect.stringMatching(/^No trainer answered: .*not registered/),
        });
      },
      (world) => {
        delete (world.activities as Partial<FakeWorld['activities']>).explain;
      },
    );
  });

  it('asks the trainer for attacks and for a backdoor in the candidate while the other gates are measured, and weighs both answers', async () => {
    await inWorld(async (at) => {
      await at.approveEverything();
      const asked = at.world.calls.map(({ name }) => name);
      expect(asked.filter((name) => name === 'attack')).toHaveLength(1);
      // The suspect before, the candidate now.
      expect(asked.filter((name) => name === 'examine')).toHaveLength(2);
      expect(at.world.calls.find(({ name }) => name === 'concludeTrials')?.input).toMatchObject({
        attack: { result: { schema: 'lazaret.robustness-result/v1' } },
        examination: { result: { verdict: 'clean' } },
      });
    });
  });

  it('asks a trainer that is not there once, and validates without it', async () => {
    await inWorld(
      async (at) => {
        await at.approveEverything();
        const given = at.world.calls.find(({ name }) => name === 'concludeTrials')?.input;
        const reason = expect.stringMatching(/^No trainer answered/);
        expect(given).toMatchObject({ attack: { result: null, reason }, examination: { result: null, reason } });
        const events = (await at.handle.fetchHistory()).events ?? [];
        const late = events.filter((event) => event.activityTaskTimedOutEventAttributes);
        expect(late).toHaveLength(1);
      },
      (world) => {
        const drafted = world.activities.draftTrials;
        world.activities.draftTrials = async (input) => {
          const { value, at } = await drafted(input);
          return { at, value: { ...value, queue: 'nobody', waitSeconds: 1 } };
        };
      },
    );
  });

  it('writes a case log whose root is the one it closes with', async () => {
    await inWorld(async (at) => {
      await at.approveEverything();
      const result = await at.handle.result();
      expect(at.world.log).toHaveLength(result.log.size);
      expect(merkleRootHex(at.world.log.map((entry) => canonicalJson(entry)))).toBe(result.log.root);
      expect(at.world.log.map((entry) => entry.seq)).toEqual(at.world.log.map((_, index) => index));
    });
  });

  it('refuses one person twice, a role not held, an old digest, a forged signature and a replayed statement on another gate', async () => {
    await inWorld(async (at) => {
      const plan = await at.waitsAt('plan');
      await expect(at.decide('eve', 'visitor', 'plan', plan)).rejects.toThrow(/asks for the role/);
      await expect(at.decide('ada', 'security-lead', 'plan', plan)).rejects.toThrow();
      await expect(at.decide('ada', 'ml-engineer', 'plan', `sha256:${'0'.repeat(64)}`)).rejects.toThrow(
        /waits for a word on/,
      );
      const honest = say(at.world, 'ada', 'ml-engineer', { incident: at.incident, gate: 'plan', digest: plan });
      const forged = `${honest.slice(0, -6)}${honest.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`;
      await expect(at.send(forged)).rejects.toThrow();
      await at.send(honest);
      const release = await at.waitsAt('release');
      await at.decide('sol', 'security-lead', 'release', release);
      await expect(at.decide('sol', 'security-lead', 'release', release)).rejects.toThrow(/another person must/);
      await expect(at.decide('sol', 'model-owner', 'release', release)).rejects.toThrow();
      // The same statement again is neither an error nor a second vote.
      await expect(at.decide('ada', 'ml-engineer', 'plan', plan)).rejects.toThrow(/already settled/);
      expect(await at.waitsAt('release')).toBe(release);
    });
  });

  it('waits for a person when a phase fails, and goes on after "retry"', async () => {
    await inWorld(
      async (at) => {
        const digest = await at.waitsAt('failed:preserve');
        expect((await at.state()).stances).toEqual({ digits: 'shadow' });
        expect(at.world.notices.some((notice) => notice.includes('preserve failed'))).toBe(true);
        await expect(at.decide('mo', 'model-owner', 'failed:preserve', digest, 'retry')).rejects.toThrow(/role/);
        await at.decide('ada', 'on-call', 'failed:preserve', digest, 'retry');
        await at.waitsAt('plan');
      },
      (world) => world.fail('preserveCapture', 'storage/not-found'),
    );
  });

  it('draws a rejected plan up anew after "retry", and the rejection does not stick to the new one', async () => {
    await inWorld(async (at) => {
      const first = await at.waitsAt('plan');
      await at.decide('ada', 'ml-engineer', 'plan', first, 'reject');
      await at.decide('sol', 'security-lead', 'failed:plan', await at.waitsAt('failed:plan'), 'retry');
      const second = await at.waitsAt('plan');
      expect(second).not.toBe(first);
      await at.decide('ada', 'ml-engineer', 'plan', second);
      await at.waitsAt('release');
    });
  });

  it('stays contained and closes with a report after "abort"', async () => {
    await inWorld(
      async (at) => {
        await at.decide('ada', 'ml-engineer', 'plan', await at.waitsAt('plan'));
        const digest = await at.waitsAt('failed:validate');
        await at.decide('sol', 'security-lead', 'failed:validate', digest, 'abort');
        expect(await at.handle.result()).toMatchObject({ outcome: 'aborted' });
        expect(at.world.stances.get('digits')?.kind).toBe('shadow');
      },
      (world) => {
        world.verdict = 'fail';
      },
    );
  });

  it('rolls back to the contained stance when the canary does badly', async () => {
    await inWorld(
      async (at) => {
        await at.decide('ada', 'ml-engineer', 'plan', await at.waitsAt('plan'));
        const release = await at.waitsAt('release');
        await at.decide('sol', 'security-lead', 'release', release);
        await at.decide('mo', 'model-owner', 'release', release);
        await at.waitsAt('failed:release');
        expect(at.world.stances.get('digits')?.kind).toBe('shadow');
        expect(at.world.calls.some((call) => call.name === 'promoteGolden')).toBe(false);
      },
      (world) => {
        world.canary = { requests: 40, errors: 20, meanConfidence: 0.96 };
      },
    );
  });

  it('promotes without a canary where the platform does not count which model answered, and says so in the log', async () => {
    await inWorld(
      async (at) => {
        await at.decide('ada', 'ml-engineer', 'plan', await at.waitsAt('plan'));
        const release = await at.waitsAt('release');
        await at.decide('sol', 'security-lead', 'release', release);
        await at.decide('mo', 'model-owner', 'release', release);
        expect(await at.handle.result()).toMatchObject({ outcome: 'repaired' });
        expect(at.world.stances.get('digits')?.kind).toBe('serving');
        expect(at.world.calls.some((call) => call.name === 'observeCanary')).toBe(false);
        const said = at.world.log.map(({ summary }) => summary);
        expect(said).toContain('no canary: kserve does not count which model answered');
      },
      (world) => {
        world.uncounted = 'kserve';
      },
    );
  });

  it('takes an endpoint back to containment when nobody knows whether it obeyed the order before', async () => {
    await inWorld(
      async (at) => {
        await at.decide('ada', 'ml-engineer', 'plan', await at.waitsAt('plan'));
        const release = await at.waitsAt('release');
        await at.decide('sol', 'security-lead', 'release', release);
        await at.decide('mo', 'model-owner', 'release', release);
        const digest = await at.waitsAt('failed:release');
        expect((await at.state()).stances).toEqual({ digits: 'unconfirmed' });
        await at.decide('ada', 'on-call', 'failed:release', digest, 'abort');
        expect(await at.handle.result()).toMatchObject({ outcome: 'aborted' });
        const orders = at.world.calls.filter((call) => call.name === 'takeStance');
        expect(orders.at(-1)?.input).toMatchObject({ endpoint: 'digits', stance: { kind: 'shadow' } });
        expect((await at.state()).stances).toEqual({ digits: 'shadow' });
      },
      (world) => world.fail('takeStance', 'storage/unavailable'),
    );
  });

  it.each(['before both', 'between them', 'after both'])('replays when people are told %s approvals', async (when) => {
    await inWorld(async (at) => {
      await at.decide('ada', 'ml-engineer', 'plan', await at.waitsAt('plan'));
      const release = at.world.hold('notify');
      const told = async (): Promise<void> => {
        release();
        await at.completed('notify', 2);
      };
      const digest = await at.waitsAt('release');
      if (when === 'before both') await told();
      await at.decide('sol', 'security-lead', 'release', digest);
      if (when === 'between them') await told();
      await at.decide('mo', 'model-owner', 'release', digest);
      release();
      expect(await at.handle.result()).toMatchObject({ outcome: 'repaired' });
    });
  });

  it('is cancelled by a signed word at any time and leaves the safe stance', async () => {
    await inWorld(async (at) => {
      await at.waitsAt('plan');
      await at.decide('ada', 'on-call', 'incident', at.incident, 'cancel');
      expect(await at.handle.result()).toMatchObject({ outcome: 'cancelled' });
      expect(at.world.stances.get('digits')?.kind).toBe('shadow');
    });
  });

  it('takes the severity that a person sets with a reason, tells the others, and loosens nothing', async () => {
    await inWorld(async (at) => {
      await at.waitsAt('plan');
      const before = await at.state();
      await at.decide('ada', 'on-call', 'incident', at.incident, 'severity-low');
      await at.completed('notify', 2);
      const after = await at.state();
      expect(before.severity).not.toBe('low');
      expect(after).toMatchObject({ severity: 'low', waiting: { gate: 'plan' } });
      expect(after.reasons.slice(0, -1)).toEqual(before.reasons);
      expect(JSON.stringify(at.world.calls)).toContain('severity of digits is now low');
      expect(after.reasons.at(-1)).toMatch(/^ada as on-call says low: ./);
      expect(at.world.stances.get('digits')?.kind).toBe('shadow');
      await at.approveEverything();
      expect(await at.handle.result()).toMatchObject({ outcome: 'repaired' });
    });
  });

  it('does not take a severity from somebody without the role', async () => {
    await inWorld(async (at) => {
      await at.waitsAt('plan');
      await expect(at.decide('mo', 'model-owner', 'incident', at.incident, 'severity-low')).rejects.toThrow(
        'asks for the role',
      );
      await at.handle.cancel();
      await at.handle.result();
    });
  });

  it('is cancelled from Temporal’s own page and leaves the safe stance', async () => {
    await inWorld(async (at) => {
      await at.waitsAt('plan');
      await at.handle.cancel();
      expect(await at.handle.result()).toMatchObject({ outcome: 'cancelled' });
      expect(at.world.stances.get('digits')?.kind).toBe('shadow');
    });
  });

  it('publishes the contained stance when the endpoint does not answer, and captures later', async () => {
    await inWorld(
      async (at) => {
        await at.waitsAt('plan');
        const names = at.world.calls.map((call) => call.name);
        expect(names.filter((name) => name === 'captureAndSwap')).toHaveLength(2);
        expect(names.indexOf('publishContainment')).toBeGreaterThan(names.indexOf('captureAndSwap'));
      },
      (world) => world.fail('captureAndSwap', 'endpoint/unreachable'),
    );
  });

  it('counts a repeated delivery once and keeps a "resolved" alert as evidence, never as closure', async () => {
    await inWorld(async (at) => {
      await at.waitsAt('plan');
      await at.handle.signal('alert', alertOn('digits'));
      await at.handle.signal('alert', alertOn('digits', { deliveryId: 'delivery-2', status: 'resolved' }));
      const state = await at.state();
      expect(state).toMatchObject({ status: 'running', alerts: { count: 2, firing: 1 } });
    });
  });

  it('isolates a descendant that the lineage names, and promotes both', async () => {
    await inWorld(
      async (at) => {
        const plan = await at.waitsAt('plan');
        expect((await at.state()).stances).toEqual({ digits: 'shadow', kiosk: 'shadow' });
        await at.decide('ada', 'ml-engineer', 'plan', plan);
        const release = await at.waitsAt('release');
        await at.decide('sol', 'security-lead', 'release', release);
        await at.decide('mo', 'model-owner', 'release', release);
        expect(await at.handle.result()).toMatchObject({ outcome: 'repaired' });
        expect((await at.state()).stances).toEqual({ digits: 'serving', kiosk: 'serving' });
      },
      (world) => {
        world.findings = {
          lineage: {
            verdict: 'suspicious',
            detail: {
              analyser: 'lineage',
              suspectDataset: null,
              goldenDataset: alertOn('x').bodyDigest,
              newBatches: [{ batch: 'b6', source: 's', records: 10, ingestedAt: '2026-01-01T00:00:00Z' }],
              missingBatches: [],
              endpoints: [
                { endpoint: 'digits', artifact: null, dataset: null, newBatches: ['b6'], unknown: null },
                { endpoint: 'kiosk', artifact: null, dataset: null, newBatches: ['b6'], unknown: null },
                { endpoint: 'archive', artifact: null, dataset: null, newBatches: [], unknown: null },
              ],
            },
          },
          'training-records': {
            verdict: 'compromised',
            detail: {
              analyser: 'training-records',
              examined: 10,
              list: null,
              count: 5,
              falseAlarmBudget: 0.01,
              threshold: 1,
              byBatch: [{ batch: 'b6', source: 's', records: 10, tainted: 5, pValue: 1e-9 }],
              flow: [],
            },
          },
        };
      },
    );
  });
});
