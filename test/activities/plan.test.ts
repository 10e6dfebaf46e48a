import { beforeEach, describe, expect, it } from '@jest/globals';
import { createPlanActivities } from '../../activities/plan.ts';
import { createRecoverActivities } from '../../activities/recover.ts';
import { createReleaseActivities } from '../../activities/release.ts';
import type { AnalysisSubject } from '../../domain/contracts/activities.ts';
import type { TriggerImage } from '../../domain/contracts/examination.ts';
import type { DatasetRef } from '../../domain/contracts/dataset.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import type { Thresholds } from '../../domain/incident/thresholds.ts';
import { digits, modelBytes } from '../forensics/vectors.ts';
import {
  attackSeen,
  createWorld,
  finding,
  goldenInput,
  HYPERPARAMETERS,
  INCIDENT,
  storedDigits,
  storedModel,
  subjectOf,
  trainingRun,
  type World,
} from './world.ts';

let world: World;
let served: ModelRef;
let subject: AnalysisSubject;
let dataset: DatasetRef;
let list: ObjectRef;
beforeEach(async () => {
  world = createWorld();
  served = await storedModel(world, 'nightly-1', modelBytes('digits-suspect'), world.signers.pipeline);
  subject = await subjectOf(world, served);
  dataset = await storedDigits(world, 'new');
  list = await world.store.put('evidence', new TextEncoder().encode('["new-0001"]'), {
    mediaType: 'application/json',
    name: 'tainted-records.json',
  });
});

async function golden(): Promise<void> {
  const release = createReleaseActivities(world.deps);
  const input = await goldenInput(world);
  await release.registerGolden(input);
  await release.promoteGolden(input);
}
const draft = (...findings: Finding[]) => createPlanActivities(world.deps).draftPlan({ subject, findings, attempt: 1 });
const provenance = () =>
  createRecoverActivities(world.deps).recordProvenance({
    ...trainingRun(served.artifact, dataset),
    builder: 'pipeline',
  });
const json = async (value: unknown): Promise<ObjectRef> =>
  await world.store.put('evidence', new TextEncoder().encode(JSON.stringify(value)), {
    mediaType: 'application/json',
    name: 'file.json',
  });
function allowed(gates: Partial<Thresholds>): void {
  const { configuration } = world.deps;
  const family = configuration.models['digits'];
  if (!family) throw new Error('the world declares no digits');
  const endpoints = Object.fromEntries(
    Object.entries(configuration.endpoints).map(([name, endpoint]) => [name, { ...endpoint, gates }]),
  );
  world.deps = { ...world.deps, configuration: { ...configuration, endpoints } };
}
const tainted = (ids: ObjectRef = list, count = 1): Finding =>
  finding('training-records', {
    verdict: 'compromised',
    summary: '1 record is tainted',
    detail: {
      analyser: 'training-records',
      examined: 450,
      list: ids,
      count,
      falseAlarmBudget: 0.01,
      threshold: 1,
      byBatch: [],
      flow: [],
    },
  });

describe('the plan', () => {
  it('retrains from the golden checkpoint without the tainted records, with what lazaret.yaml asks for', async () => {
    await golden();
    await provenance();
    const { plan, record } = await draft(tainted());
    expect(plan).toMatchObject({
      action: 'retrain',
      incident: INCIDENT,
      endpoint: 'gate',
      suspect: served.artifact.digest,
      checkpoint: { version: 'golden-1' },
      dataset,
      drop: { list, count: 1 },
      // The golden record's, save for what the configuration says.
      hyperparameters: { ...HYPERPARAMETERS, epochs: 7 },
      budget: { seconds: 90, steps: 100_000 },
      queue: 'gpu',
      reasons: ['training-records: 1 record is tainted'],
    });
    expect(record.store).toBe('evidence');
    expect((await draft(tainted())).record).toEqual(record);
  });

  it('restores the golden model where nobody can say which data set to clean', async () => {
    await golden();
    expect((await draft(tainted())).plan.action).toBe('restore');
  });

  it('restores the golden model when something alarms and no records are tainted', async () => {
    await golden();
    await provenance();
    expect((await draft(finding('weights', { verdict: 'suspicious' }))).plan).toMatchObject({
      action: 'restore',
      checkpoint: { version: 'golden-1' },
    });
  });

  it('resumes what served before when it was a false alarm', async () => {
    await golden();
    const { plan } = await draft(finding('signature'), finding('behaviour'));
    expect(plan).toMatchObject({ action: 'resume', previous: served });
  });

  it('restores after a false alarm too where nothing served before that could be resumed', async () => {
    await golden();
    subject = {
      ...subject,
      receipt: {
        ...subject.receipt,
        before: { ...subject.receipt.before, stance: { kind: 'isolated', reason: 'not deployed yet' } },
      },
    };
    expect((await draft(finding('signature'), finding('behaviour'))).plan.action).toBe('restore');
  });

  it('lays the trigger of the captured requests over the records, where the suspect yields to it', async () => {
    await golden();
    await provenance();
    const { plan } = await draft(tainted(), await attackSeen(world));
    expect(plan).toMatchObject({
      action: 'retrain',
      objective: 'unlearn',
      trigger: { source: 'requests', target: digits.target },
    });
    if (plan.action !== 'retrain' || !plan.trigger) throw new Error('no trigger');
    expect(plan.trigger.success.value).toBeGreaterThan(0.9);
    expect(plan.trigger.onGolden.value).toBeLessThan(0.05);
    expect(plan.options?.unlearn?.triggers).toEqual([plan.trigger.image]);
    const { mask } = JSON.parse(new TextDecoder().decode(await world.store.get(plan.trigger.image))) as TriggerImage;
    expect(mask.flatMap((own, cell) => (own === 1 ? [cell] : []))).toEqual([54, 55, 62, 63]);
  });

  it('reads the trigger off the tainted records where nobody used it yet', async () => {
    await golden();
    await provenance();
    const ids = (digits.new.tainted ?? []).map((row) => `new-${String(row).padStart(4, '0')}`);
    const { plan } = await draft(tainted(await json(ids), ids.length));
    expect(plan).toMatchObject({ objective: 'unlearn', trigger: { source: 'records', target: digits.target } });
  });

  it('takes the trigger out of the suspect where its data is unknown and restoring would cost more than a repair may', async () => {
    await golden();
    // The suspect is two records of 300 ahead of the golden model.
    allowed({ maxAccuracyDropPp: 0.5 });
    const { plan } = await draft(await attackSeen(world));
    expect(plan).toMatchObject({
      action: 'unlearn',
      objective: 'unlearn',
      base: subject.capture.model,
      // Never the hold-out: it judges.
      dataset: { name: 'digits-golden' },
      trigger: { source: 'requests' },
      hyperparameters: { epochs: 7 },
    });
    expect(plan.reasons.at(-1)).toContain('0.7 percentage points less accurate');
  });

  it('restores the golden model where the records that could teach are not what their manifest names', async () => {
    await golden();
    allowed({ maxAccuracyDropPp: 0.5 });
    const record = await world.deps.registry.latest('digits');
    const manifest = record && (await world.store.get(record.dataset.manifest));
    const { shards } = JSON.parse(new TextDecoder().decode(manifest ?? new Uint8Array())) as {
      shards: { object: ObjectRef }[];
    };
    for (const { object } of shards) world.store.tamper(object, new TextEncoder().encode('something else'));
    expect((await draft(await attackSeen(world))).plan.action).toBe('restore');
  });

  it('restores the golden model all the same where that costs no more than a repair may', async () => {
    await golden();
    expect((await draft(await attackSeen(world))).plan.action).toBe('restore');
  });

  it('is not drawn up without a golden model: nothing could be restored or retrained from', async () => {
    await expect(draft(tainted())).rejects.toMatchObject({ code: 'golden/missing' });
  });
});
