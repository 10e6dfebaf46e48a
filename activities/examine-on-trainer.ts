import { z } from 'zod';
import type { AnalysisSubject, DraftedExamination, Examination } from '../domain/contracts/activities.ts';
import { examineResultSchema, triggerImageSchema, type ExamineResult } from '../domain/contracts/examination.ts';
import type { Finding } from '../domain/contracts/finding.ts';
import type { GoldenRecord } from '../domain/contracts/golden.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import { EXAMINATION_BUDGET_SECONDS, EXAMINATION_WAIT_SECONDS } from '../domain/incident/limits.ts';
import { registry } from '../forensics/analysers/registry.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { readDataset } from '../evidence/dataset/read.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'keys' | 'store' | 'registry'>;

const DEFAULT_QUEUE = 'trainer';
/** The same search every time: a finding can be derived again. */
const SEED = 0;

/** The job of a search for a backdoor, or why there is nothing to search with. */
export async function draftExamination(deps: Needs, subject: AnalysisSubject): Promise<DraftedExamination> {
  const golden = await deps.registry.latest(subject.model);
  if (!subject.capture.model) return { job: null, reason: 'The bytes of the suspect were not captured.' };
  if (!golden) return { job: null, reason: 'No golden record gives clean records to search with.' };
  const model = deps.configuration.models[subject.model];
  return {
    queue: model?.queue ?? DEFAULT_QUEUE,
    waitSeconds: model?.examinationWaitSeconds ?? EXAMINATION_WAIT_SECONDS,
    job: {
      schema: 'lazaret.examine-job/v1',
      jobId: `${subject.incident}-backdoor-${subject.endpoint}`,
      question: 'backdoor',
      suspect: subject.capture.model,
      golden: golden.ref.artifact,
      probes: golden.holdout,
      seed: SEED,
      seconds: EXAMINATION_BUDGET_SECONDS,
    },
  };
}

/** What the trainer answered, as a finding. Its objects are moved under Object Lock; what does not keep the contract is no answer. */
export async function backdoorFinding(
  deps: Needs,
  golden: GoldenRecord | null,
  examination: Examination | undefined,
): Promise<Finding> {
  const finding = async (result: ExamineResult | null, reason: string): Promise<Finding> => {
    const classes = golden ? (await readDataset(deps.store, golden.holdout, deps.keys)).manifest.classes : [];
    const needs = result ? { result, trigger: await triggerOf(deps, result) } : null;
    return (await registry.backdoor.run({ examined: needs, reason, classes })).finish({});
  };
  if (!examination || examination.result === null) {
    return await finding(null, examination?.reason ?? 'No trainer was asked.');
  }
  const parsed = examineResultSchema.safeParse(examination.result);
  if (!parsed.success)
    return await finding(
      null,
      `The trainer's answer breaks the contract: ${z.prettifyError(parsed.error).slice(0, 300)}`,
    );
  const [report, trigger] = await Promise.all([
    keep(deps, parsed.data.report),
    parsed.data.trigger && keep(deps, parsed.data.trigger),
  ]);
  return await finding({ ...parsed.data, report, trigger }, '');
}

/** Moves what a trainer wrote under Object Lock. */
export async function keep(deps: Pick<Needs, 'store'>, ref: ObjectRef): Promise<ObjectRef> {
  const { mediaType, name } = ref;
  return await deps.store.put('evidence', await deps.store.get(ref), { mediaType, name });
}

/** The recovered trigger as numbers; null where none was, or where it breaks its contract. */
export async function triggerOf(deps: Pick<Needs, 'store'>, { trigger }: { trigger: ObjectRef | null }) {
  if (!trigger) return null;
  const parsed = triggerImageSchema.safeParse(jsonOf(await deps.store.get(trigger)));
  return parsed.success ? parsed.data : null;
}

/** null where the bytes are no JSON. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
