import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { AnalysisSubject, Examination, TrainerActivities } from '../../domain/contracts/activities.ts';
import { EXAMINATION, EXAMINATION_WAIT_SECONDS, STORAGE } from '../../domain/incident/limits.ts';
import { failureOf } from '../case/failure-of.ts';
import type { IncidentCase } from '../case/incident-case.ts';

/** What came back, and whether nobody was there to ask. */
export interface OnTrainer extends Examination {
  readonly absent: boolean;
}

/**
 * Questions that need the model's gradients are asked on the trainer's queue. No trainer, a trainer without the activity, or a model that it
 * cannot read: the reason goes into the finding, and the incident goes on.
 */
export async function examineOnTrainer(incident: IncidentCase, subject: AnalysisSubject): Promise<OnTrainer> {
  const drafted = await incident.act(
    { phase: 'investigate', call: 'draftExamination', options: STORAGE },
    { subject },
    (draft) => (draft.job ? `the queue ${draft.queue} is asked: ${draft.job.question}` : draft.reason),
  );
  if (drafted.job === null) return { result: null, reason: drafted.reason, absent: false };
  const trainer = proxyActivities<TrainerActivities>({
    ...EXAMINATION,
    scheduleToStartTimeout: `${drafted.waitSeconds ?? EXAMINATION_WAIT_SECONDS} seconds`,
    taskQueue: drafted.queue,
    summary: `investigate: examine for a ${drafted.job.question}`,
  });
  try {
    return { result: await trainer.examine(drafted.job), reason: '', absent: false };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code, message } = failureOf(error);
    return { result: null, reason: `No trainer answered: ${message}`, absent: code === 'trainer/absent' };
  }
}
