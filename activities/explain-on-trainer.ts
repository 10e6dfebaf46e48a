import { z } from 'zod';
import {
  explainResultSchema,
  influencesSchema,
  saliencyMapSchema,
  type ExplainResult,
} from '../domain/contracts/activations.ts';
import type { AnalysisSubject, DraftedExplanation, Examination } from '../domain/contracts/activities.ts';
import type { ObjectRef } from '../domain/contracts/object-ref.ts';
import { Failure } from '../domain/incident/failure.ts';
import { EXAMINATION_WAIT_SECONDS, EXPLANATION_BUDGET_SECONDS } from '../domain/incident/limits.ts';
import { readManifest } from '../evidence/dataset/read.ts';
import type { ActivationsNeeds } from '../forensics/analysers/activations.ts';
import { capturedRows, tableOf } from '../forensics/analysers/window.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { readWindow, versionBehind } from './examination.ts';
import { jsonOf, keep } from './examine-on-trainer.ts';

type Needs = Pick<ActivityDependencies, 'configuration' | 'keys' | 'store' | 'registry'>;

const DEFAULT_QUEUE = 'trainer';
/** The same every time: a finding can be derived again. */
const SEED = 0;
/** Of the window, the latest: an attack that raised the alert is at its end. */
const MOST_REQUESTS = 1_000;

/**
 * The job of a look inside the model, with the captured requests as the trainer takes them, or why there is none. What cannot be read for its
 * own sake is a reason; storage that is away is not: the step is tried again.
 */
export async function draftExplanation(deps: Needs, subject: AnalysisSubject): Promise<DraftedExplanation> {
  try {
    return await drafted(deps, subject);
  } catch (error) {
    if (error instanceof Failure && error.code.startsWith('storage/')) throw error;
    return {
      job: null,
      reason: `There is nothing to ask with: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

async function drafted(deps: Needs, subject: AnalysisSubject): Promise<DraftedExplanation> {
  const { capture } = subject;
  const golden = await deps.registry.latest(subject.model);
  if (!capture.model) return { job: null, reason: 'The bytes of the suspect were not captured.' };
  if (!golden) return { job: null, reason: 'No golden record is there to compare with.' };
  const { featureShape } = await readManifest(deps.store, golden.holdout, deps.keys);
  const width = featureShape.reduce((product, dim) => product * dim, 1);
  const window = await readWindow(deps, capture.window);
  const rows = capturedRows(window, width, capture.modelDigest).slice(-MOST_REQUESTS);
  if (rows.length === 0) return { job: null, reason: 'No request was captured, so there is no answer to explain.' };
  const behind = capture.modelDigest && (await versionBehind(deps, capture.modelDigest));
  const table = tableOf(rows, width);
  const object = await deps.store.put('evidence', new Uint8Array(table.buffer), {
    mediaType: 'application/octet-stream',
    name: 'explained-requests.f32',
  });
  const model = deps.configuration.models[subject.model];
  return {
    queue: model?.queue ?? DEFAULT_QUEUE,
    waitSeconds: model?.examinationWaitSeconds ?? EXAMINATION_WAIT_SECONDS,
    job: {
      schema: 'lazaret.explain-job/v1',
      jobId: `${subject.incident}-activations-${subject.endpoint}`,
      suspect: capture.model,
      golden: golden.ref.artifact,
      probes: golden.holdout,
      records: behind && behind.version ? behind.ref : null,
      requests: { object, count: rows.length },
      seed: SEED,
      seconds: EXPLANATION_BUDGET_SECONDS,
    },
  };
}

/** What the trainer answered. Its objects are moved under Object Lock; what does not keep the contract is no answer. */
export async function activationsNeeds(
  deps: Pick<Needs, 'store'>,
  explanation: Examination | undefined,
): Promise<Pick<ActivationsNeeds, 'explained' | 'reason'>> {
  if (!explanation || explanation.result === null)
    return { explained: null, reason: explanation?.reason ?? 'No trainer was asked.' };
  const parsed = explainResultSchema.safeParse(explanation.result);
  if (!parsed.success)
    return {
      explained: null,
      reason: `The trainer's answer breaks the contract: ${z.prettifyError(parsed.error).slice(0, 300)}`,
    };
  const { report, saliency, influence } = parsed.data;
  const kept: ExplainResult = {
    ...parsed.data,
    report: await keep(deps, report),
    saliency: saliency && (await keep(deps, saliency)),
    influence: influence && (await keep(deps, influence)),
  };
  return {
    reason: '',
    explained: {
      result: kept,
      saliency: await objectOf(deps, saliencyMapSchema, kept.saliency),
      influences: await objectOf(deps, influencesSchema, kept.influence),
    },
  };
}

/** null where there is none, or where it breaks its contract. */
async function objectOf<T>({ store }: Pick<Needs, 'store'>, schema: z.ZodType<T>, ref: ObjectRef | null) {
  if (!ref) return null;
  const parsed = schema.safeParse(jsonOf(await store.get(ref)));
  return parsed.success ? parsed.data : null;
}
