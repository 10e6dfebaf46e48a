import { ApplicationFailure } from '@temporalio/common';
import type { FakeWorld } from '../workflows/fake-world.ts';
import { alertOn } from '../workflows/fake-world.ts';
import type { Stage } from '../workflows/stage.ts';

/** One way an incident went: what the world was like, what people did, and how it had to end. */
export interface Story {
  readonly outcome: 'repaired' | 'aborted' | 'cancelled';
  prepare?(world: FakeWorld): void;
  /** `serveTrainer` starts a trainer worker on a queue. */
  play(at: Stage, serveTrainer: (queue: string) => Promise<void>): Promise<void>;
}

/** A queue that only a trainer which comes late serves. */
export const LATE_QUEUE = 'late-trainer';

const approvePlan = async (at: Stage): Promise<unknown> =>
  await at.decide('ada', 'ml-engineer', 'plan', await at.waitsAt('plan'));
const approveRelease = async (at: Stage): Promise<void> => {
  const digest = await at.waitsAt('release');
  await at.decide('sol', 'security-lead', 'release', digest);
  await at.decide('mo', 'model-owner', 'release', digest);
};

const DESCENDANT: FakeWorld['findings'] = {
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

/** Every story that a released worker may have begun and a newer one has to be able to go on with. */
export const STORIES: Readonly<Record<string, Story>> = {
  repaired: { outcome: 'repaired', play: (at) => at.approveEverything() },

  'aborted-after-failed-validation': {
    outcome: 'aborted',
    prepare: (world) => void (world.verdict = 'fail'),
    play: async (at) => {
      await approvePlan(at);
      await at.decide('sol', 'security-lead', 'failed:validate', await at.waitsAt('failed:validate'), 'abort');
    },
  },

  cancelled: {
    outcome: 'cancelled',
    play: async (at) => {
      await at.waitsAt('plan');
      await at.decide('ada', 'on-call', 'incident', at.incident, 'cancel');
    },
  },

  'cancelled-from-temporal': {
    outcome: 'cancelled',
    play: async (at) => {
      await at.waitsAt('plan');
      await at.handle.cancel();
    },
  },

  'rolled-back-then-retried': {
    outcome: 'repaired',
    prepare: (world) => void (world.canary = { requests: 40, errors: 20, meanConfidence: 0.96 }),
    play: async (at) => {
      await approvePlan(at);
      await approveRelease(at);
      const digest = await at.waitsAt('failed:release');
      at.world.canary = { requests: 40, errors: 0, meanConfidence: 0.96 };
      await at.decide('ada', 'on-call', 'failed:release', digest, 'retry');
    },
  },

  'aborted-after-unconfirmed-stance': {
    outcome: 'aborted',
    prepare: (world) => world.fail('takeStance', 'storage/unavailable'),
    play: async (at) => {
      await approvePlan(at);
      await approveRelease(at);
      await at.decide('ada', 'on-call', 'failed:release', await at.waitsAt('failed:release'), 'abort');
    },
  },

  'descendant-contained': {
    outcome: 'repaired',
    prepare: (world) => void (world.findings = DESCENDANT),
    play: (at) => at.approveEverything(),
  },

  'endpoint-unreachable-first': {
    outcome: 'repaired',
    prepare: (world) => world.fail('captureAndSwap', 'endpoint/unreachable'),
    play: (at) => at.approveEverything(),
  },

  'preserve-failed-then-retried': {
    outcome: 'repaired',
    prepare: (world) => world.fail('preserveCapture', 'storage/not-found'),
    play: async (at) => {
      await at.decide('ada', 'on-call', 'failed:preserve', await at.waitsAt('failed:preserve'), 'retry');
      await at.approveEverything();
    },
  },

  'plan-rejected': {
    outcome: 'aborted',
    play: async (at) => {
      await at.decide('ada', 'ml-engineer', 'plan', await at.waitsAt('plan'), 'reject');
      await at.decide('sol', 'security-lead', 'failed:plan', await at.waitsAt('failed:plan'), 'abort');
    },
  },

  'report-skipped': {
    outcome: 'repaired',
    prepare: (world) => world.fail('writeReport', 'storage/not-found'),
    play: async (at) => {
      await at.approveEverything();
      await at.decide('ada', 'on-call', 'failed:learn', await at.waitsAt('failed:learn'), 'skip');
    },
  },

  'alerts-joined': {
    outcome: 'repaired',
    play: async (at) => {
      const plan = await at.waitsAt('plan');
      await at.handle.signal('alert', alertOn('digits'));
      await at.handle.signal('alert', alertOn('digits', { deliveryId: 'delivery-2', status: 'resolved' }));
      await at.decide('ada', 'ml-engineer', 'plan', plan);
      await approveRelease(at);
    },
  },

  'trainer-absent-first': {
    outcome: 'repaired',
    prepare: (world) => {
      const { draftPlan } = world.activities;
      world.activities.draftPlan = async (input) => {
        const drafted = await draftPlan(input);
        const { plan } = drafted.value;
        if (plan.action !== 'retrain') throw ApplicationFailure.nonRetryable('the fake plan retrains');
        return { ...drafted, value: { ...drafted.value, plan: { ...plan, queue: LATE_QUEUE } } };
      };
    },
    play: async (at, serveTrainer) => {
      await approvePlan(at);
      while ((await waitingFor(at)) !== 'trainer') await new Promise((resolve) => setTimeout(resolve, 500));
      await serveTrainer(LATE_QUEUE);
      await approveRelease(at);
    },
  },
};

async function waitingFor(at: Stage): Promise<string> {
  const state = await at.state();
  return state.status === 'running' ? state.waiting.for : state.status;
}
