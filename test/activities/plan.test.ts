import { beforeEach, describe, expect, it } from '@jest/globals';
import { createPlanActivities } from '../../activities/plan.ts';
import { createRecoverActivities } from '../../activities/recover.ts';
import { createReleaseActivities } from '../../activities/release.ts';
import type { AnalysisSubject } from '../../domain/contracts/activities.ts';
import type { DatasetRef } from '../../domain/contracts/dataset.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import { modelBytes } from '../forensics/vectors.ts';
import {
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
const tainted = (): Finding =>
  finding('training-records', {
    verdict: 'compromised',
    summary: '1 record is tainted',
    detail: {
      analyser: 'training-records',
      examined: 450,
      list,
      count: 1,
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

  it('is not drawn up without a golden model: nothing could be restored or retrained from', async () => {
    await expect(draft(tainted())).rejects.toMatchObject({ code: 'golden/missing' });
  });
});
