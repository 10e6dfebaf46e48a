import { beforeAll, describe, expect, it } from '@jest/globals';
import { createTrialActivities } from '../../activities/trials.ts';
import { createReleaseActivities } from '../../activities/release.ts';
import type { Examination } from '../../domain/contracts/activities.ts';
import type { DemandableGate } from '../../domain/contracts/gates.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ValidationReport } from '../../domain/contracts/plan.ts';
import { attackSpaceSchema, robustnessJobSchema, type RobustnessResult } from '../../domain/contracts/robustness.ts';
import { examineJobSchema, type ExamineResult } from '../../domain/contracts/examination.ts';
import { columnsOf, modelBytes } from '../forensics/vectors.ts';
import { createWorld, goldenInput, INCIDENT, NOW, type World } from './world.ts';

/** A registry with the golden model in it, made once: evaluating it takes seconds. Nothing here changes it. */
let world: World;
let candidate: ObjectRef;
beforeAll(async () => {
  world = createWorld();
  const release = createReleaseActivities(world.deps);
  const input = await goldenInput(world);
  await release.registerGolden(input);
  await release.promoteGolden(input);
  candidate = await put(modelBytes('digits-suspect'), 'model.onnx');
});

const put = async (bytes: Uint8Array, name: string): Promise<ObjectRef> =>
  await world.store.put('artifacts', bytes, { mediaType: 'application/octet-stream', name });
const draft = async (model: ObjectRef) =>
  await createTrialActivities(world.deps).draftTrials({ incident: INCIDENT, model: 'digits', candidate: model });

const UNANSWERED: Examination = { result: null, reason: 'No trainer answered: nobody took the job' };
const attacked = (standing: string): Examination => ({
  reason: '',
  result: {
    schema: 'lazaret.robustness-result/v1',
    jobId: 'attack',
    attacks: [
      {
        norm: 'linf',
        radius: 0.1,
        candidate: standing,
        golden: '1'.repeat(100),
        crossEntropy: standing,
        margin: standing,
      },
    ],
    steps: 20,
    restarts: 4,
    startedAt: NOW,
    finishedAt: NOW,
  } satisfies RobustnessResult,
});
const scanned = async (verdict: ExamineResult['verdict']): Promise<Examination> => ({
  reason: '',
  result: {
    schema: 'lazaret.examine-result/v1',
    jobId: 'scan',
    verdict,
    summary: 'what the search saw',
    methods: [],
    target: null,
    success: null,
    flip: null,
    pValue: null,
    falseAlarmBudget: 0.05,
    trigger: null,
    report: await put(new TextEncoder().encode('{"figures":1}'), 'examination.json'),
    startedAt: NOW,
    finishedAt: NOW,
  } satisfies ExamineResult,
});
const REPORT = (): ValidationReport => ({
  schema: 'lazaret.validation/v1',
  incident: INCIDENT,
  candidate,
  golden: candidate.digest,
  holdout: candidate.digest,
  gates: [{ id: 'accuracy', title: 'A', verdict: 'pass', figure: 1, golden: 1, threshold: 'any', reason: 'because' }],
  verdict: 'pass',
  flow: [],
});
const conclude = async (attack: Examination, examination: Examination, demands: readonly DemandableGate[] = []) => {
  const { configuration } = world.deps;
  const endpoints = Object.fromEntries(
    Object.entries(configuration.endpoints).map(([name, one]) => [name, { ...one, demands: [...demands] }]),
  );
  const deps = { ...world.deps, configuration: { ...configuration, endpoints } };
  return await createTrialActivities(deps).concludeTrials({ model: 'digits', report: REPORT(), attack, examination });
};

describe('what a trainer is asked of a candidate', () => {
  it('is to attack the records that Square attacks, and to search it as the suspect was searched', async () => {
    const { attack, examine, queue } = await draft(candidate);
    expect(queue).toBe('gpu');
    expect(robustnessJobSchema.parse(attack)).toMatchObject({ candidate, epsilon: 0.1, steps: 20, restarts: 4 });
    expect(examineJobSchema.parse(examine)).toMatchObject({ suspect: candidate, question: 'backdoor' });
    const bytes = attack && (await world.store.get(attack.space));
    const space = attackSpaceSchema.parse(JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array())));
    expect(space.ids).toHaveLength(200);
    expect(new Set(columnsOf('holdout').ids)).toEqual(new Set([...columnsOf('holdout').ids, ...space.ids]));
    // Pixels of a picture have one range.
    expect([space.low, space.high]).toEqual([[0], [1]]);
  });

  it('is nothing where the candidate is the golden model itself', async () => {
    const golden = await world.deps.registry.latest('digits');
    const drafted = golden && (await draft(golden.ref.artifact));
    expect(drafted).toMatchObject({ attack: null, examine: null, reason: 'The candidate is the golden model itself.' });
  });
});

describe('the report after the trainer answered', () => {
  it('has its gates, and is evidence', async () => {
    const { report, record } = await conclude(attacked('1'.repeat(97) + '000'), await scanned('clean'));
    expect(report.gates.map(({ id, verdict }) => [id, verdict])).toEqual([
      ['accuracy', 'pass'],
      ['robustness:pgd-linf', 'pass'],
      ['backdoor-scan', 'pass'],
    ]);
    expect(report.gates.slice(1).every((gate) => gate.terms?.length)).toBe(true);
    expect(report.verdict).toBe('pass');
    expect(record.store).toBe('evidence');
  });

  it('stops a candidate that yields to gradients or bears a backdoor', async () => {
    expect((await conclude(attacked('1'.repeat(50) + '0'.repeat(50)), await scanned('clean'))).report.verdict).toBe(
      'fail',
    );
    expect((await conclude(attacked('1'.repeat(100)), await scanned('suspicious'))).report.verdict).toBe('fail');
  });

  it('keeps what the search wrote under lock', async () => {
    const examination = await scanned('clean');
    const { report } = examination.result as ExamineResult;
    await conclude(UNANSWERED, examination);
    expect(await world.store.has({ ...report, store: 'evidence' })).toBe(true);
  });

  it('tells the reason where no trainer answered, and nothing is blocked by it', async () => {
    const { report } = await conclude(UNANSWERED, UNANSWERED);
    expect(report.verdict).toBe('pass');
    expect(report.figures?.map(({ id, words }) => [id, words])).toEqual([
      ['robustness:pgd', 'Not decided: No trainer answered: nobody took the job'],
      ['backdoor-scan', 'Not decided: No trainer answered: nobody took the job'],
    ]);
  });

  it('stays undecided for an endpoint that demands them', async () => {
    const { report } = await conclude(UNANSWERED, await scanned('inconclusive'), ['robustness:pgd', 'backdoor-scan']);
    expect(report.gates.slice(1).map(({ id, verdict, reason }) => [id, verdict, reason])).toEqual([
      ['robustness:pgd', 'inconclusive', 'No trainer answered: nobody took the job'],
      ['backdoor-scan', 'inconclusive', 'what the search saw'],
    ]);
    expect(report.verdict).toBe('inconclusive');
  });

  it('does not believe an answer that breaks the contract', async () => {
    const { report } = await conclude({ reason: '', result: { attacks: 'none' } }, UNANSWERED);
    expect(report.gates).toHaveLength(1);
    expect(report.figures?.[0]?.words).toContain('breaks the contract');
  });
});
