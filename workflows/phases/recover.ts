import { CancellationScope, condition, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import type { DatasetRef } from '../../domain/contracts/dataset.ts';
import type { RetrainResult } from '../../domain/contracts/messages.ts';
import type { Plan } from '../../domain/contracts/plan.ts';
import type { TrainJob } from '../../domain/contracts/trainer.ts';
import { referencesIn } from '../../domain/incident/references.ts';
import type { IncidentCase } from '../case/incident-case.ts';
import { retrain } from '../retrain.ts';

const CHECKPOINT_EVERY_STEPS = 50;

/** Trains from the secure checkpoint on the sanitized version, or from the suspect on records to trust, as a child workflow on the trainer's queue. */
export async function recover(
  incident: IncidentCase,
  plan: Plan & { action: 'retrain' | 'unlearn' },
  dataset: DatasetRef,
): Promise<RetrainResult> {
  const job: TrainJob = {
    schema: 'lazaret.train-job/v1',
    // Derived from the plan and what is trained on: a retry of the phase goes on from the checkpoints of the same job, another plan does not.
    jobId: `${incident.incident}-${dataset.manifest.digest.slice(7, 19)}${plan.attempt > 1 ? `-${plan.attempt}` : ''}`,
    objective: plan.objective,
    ...(plan.options && { options: plan.options }),
    base: plan.action === 'unlearn' ? plan.base : plan.checkpoint.artifact,
    dataset,
    hyperparameters: plan.hyperparameters,
    budget: plan.budget,
    checkpointEverySteps: CHECKPOINT_EVERY_STEPS,
  };
  incident.ledger.trainerAbsent = null;
  void tellOfAbsence(incident);
  const trained = await executeChild(retrain, {
    workflowId: `${incident.incident}/retrain/${job.jobId}`,
    args: [{ job, queue: plan.queue, builder: 'lazaret' }],
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `retrain ${plan.model} for ${incident.incident}`,
  });
  const { result, provenance } = trained;
  incident.ledger.training = { job, result, provenance };
  incident.gates.wait({ for: 'nothing' });
  incident.recorder.sawTime(result.finishedAt);
  incident.recorder.note({
    phase: 'recover',
    step: 'retrain',
    actor: 'lazaret',
    inputs: referencesIn(job),
    outputs: referencesIn(trained),
    verdict: 'done',
    summary: `${result.steps} steps on ${result.records} records, final loss ${result.finalLoss.toFixed(4)}${
      result.resumedAtSteps.length > 0 ? `, resumed at step ${result.resumedAtSteps.join(', ')}` : ''
    }`,
    statement: null,
  });
  return trained;
}

/** Nobody serves the queue: the incident waits on, and says so. */
async function tellOfAbsence(incident: IncidentCase): Promise<void> {
  await CancellationScope.nonCancellable(() =>
    condition(() => incident.ledger.trainerAbsent !== null || incident.ledger.training !== null),
  );
  if (incident.ledger.training !== null || incident.ledger.trainerAbsent === null) return;
  incident.gates.wait({ for: 'trainer', since: new Date().toISOString(), queue: incident.ledger.trainerAbsent });
  incident.gates.tell(
    `no trainer serves queue ${incident.ledger.trainerAbsent}`,
    'The retraining waits. Start a trainer worker on that queue; the job begins by itself.',
  );
}
