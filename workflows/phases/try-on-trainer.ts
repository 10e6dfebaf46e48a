import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { DraftedTrials, Examination, TrainerActivities } from '../../domain/contracts/activities.ts';
import { TRIALS } from '../../domain/incident/limits.ts';
import { failureOf } from '../case/failure-of.ts';

export interface Tried {
  readonly attack: Examination;
  readonly examination: Examination;
}

/**
 * Asks the trainer for what needs gradients, one job after the other: it has one device, and a job that waits for it is none that nobody
 * takes. A trainer that is not there is asked once.
 */
export async function tryOnTrainer(drafted: DraftedTrials): Promise<Tried> {
  const trainer = proxyActivities<TrainerActivities>({
    ...TRIALS,
    scheduleToStartTimeout: `${drafted.waitSeconds} seconds`,
    taskQueue: drafted.queue,
    summary: 'validate: attack the candidate with its gradient, and search it for a backdoor',
  });
  const { attack, examine, reason } = drafted;
  const attacked = attack
    ? await asked(async () => await trainer.attack(attack))
    : { result: null, reason, absent: false };
  if (attacked.absent) return { attack: attacked, examination: attacked };
  const examined = examine ? await asked(async () => await trainer.examine(examine)) : { result: null, reason };
  return { attack: attacked, examination: examined };
}

async function asked(ask: () => Promise<unknown>): Promise<Examination & { absent: boolean }> {
  try {
    return { result: await ask(), reason: '', absent: false };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const { code, message } = failureOf(error);
    return { result: null, reason: `No trainer answered: ${message}`, absent: code === 'trainer/absent' };
  }
}
