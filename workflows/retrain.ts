import {
  ActivityFailure,
  getExternalWorkflowHandle,
  proxyActivities,
  setCurrentDetails,
  TimeoutFailure,
  workflowInfo,
} from '@temporalio/workflow';
import type { OnTheWire, ResponseActivities, TrainerActivities } from '../domain/contracts/activities.ts';
import { RESPONSE_QUEUE, type RetrainInput, type RetrainResult } from '../domain/contracts/messages.ts';
import { STORAGE, TRAINER_ABSENT_AFTER_MS, TRAINING } from '../domain/incident/limits.ts';
import type { TrainResult } from '../domain/contracts/trainer.ts';
import { trainerAbsent } from './messages.ts';

/**
 * One training run: the trainer's activity with its retries, then signed provenance. Incidents run it as a child; a pipeline may run it alone.
 * A job that nobody takes within TRAINER_ABSENT_AFTER_MS is reported to the incident, and waits on.
 */
export async function retrain(input: RetrainInput): Promise<RetrainResult> {
  setCurrentDetails(
    `Job \`${input.job.jobId}\` on queue \`${input.queue}\`, base \`${input.job.base.digest}\`, data set \`${input.job.dataset.manifest.digest}\``,
  );
  const result = await train(input);
  const ports = proxyActivities<OnTheWire<ResponseActivities>>({
    ...STORAGE,
    taskQueue: RESPONSE_QUEUE,
    summary: 'sign the provenance of the training run',
  });
  const { value } = await ports.recordProvenance({ job: input.job, result, builder: input.builder });
  return { result, provenance: value.provenance };
}

async function train(input: RetrainInput): Promise<TrainResult> {
  const on = { ...TRAINING, taskQueue: input.queue, summary: `train ${input.job.jobId}` };
  try {
    return await proxyActivities<TrainerActivities>({ ...on, scheduleToStartTimeout: TRAINER_ABSENT_AFTER_MS }).train(
      input.job,
    );
  } catch (error) {
    if (!isScheduleToStart(error)) throw error;
    await tellParent(input.queue);
    return await proxyActivities<TrainerActivities>(on).train(input.job);
  }
}

async function tellParent(queue: string): Promise<void> {
  const parent = workflowInfo().parent;
  if (parent) await getExternalWorkflowHandle(parent.workflowId, parent.runId).signal(trainerAbsent, queue);
}

function isScheduleToStart(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === 'SCHEDULE_TO_START'
  );
}
