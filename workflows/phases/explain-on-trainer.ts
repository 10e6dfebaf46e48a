import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { AnalysisSubject, Examination, TrainerActivities } from '../../domain/contracts/activities.ts';
import { EXPLANATION, STORAGE } from '../../domain/incident/limits.ts';
import { failureOf } from '../case/failure-of.ts';
import type { IncidentCase } from '../case/incident-case.ts';
import type { OnTrainer } from './examine-on-trainer.ts';

/**
 * Asks the trainer's queue how the captured requests went through suspect and golden model, while the search for a backdoor is asked there as
 * well. A trainer that is busy with the search is waited for; one that did not come for the search is not waited for again.
 */
export async function explainOnTrainer(
  incident: IncidentCase,
  subject: AnalysisSubject,
  searched: Promise<OnTrainer>,
): Promise<Examination> {
  const drafted = await incident.act(
    { phase: 'investigate', call: 'draftExplanation', options: STORAGE },
    { subject },
    (draft) =>
      draft.job ? `the queue ${draft.queue} is asked to explain ${draft.job.requests.count} requests` : draft.reason,
  );
  if (drafted.job === null) return { result: null, reason: drafted.reason };
  const trainer = proxyActivities<TrainerActivities>({
    ...EXPLANATION,
    scheduleToStartTimeout: `${drafted.waitSeconds} seconds`,
    taskQueue: drafted.queue,
    summary: 'investigate: how did the captured requests go through the model?',
  });
  try {
    return { result: await trainer.explain(drafted.job), reason: '' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = failureOf(error);
    const reason = `No trainer answered: ${failure.message}`;
    if (failure.code !== 'trainer/absent' || (await searched).absent) return { result: null, reason };
  }
  try {
    return { result: await trainer.explain(drafted.job), reason: '' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { result: null, reason: `No trainer answered: ${failureOf(error).message}` };
  }
}
