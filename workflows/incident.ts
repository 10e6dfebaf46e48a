import { CancellationScope, condition, isCancellation, setHandler, workflowInfo } from '@temporalio/workflow';
import { incidentIdOf, type IncidentInput, type IncidentResult } from '../domain/contracts/messages.ts';
import type { Outcome } from '../domain/incident/kinds.ts';
import { Ended, IncidentCase } from './case/incident-case.ts';
import { alertSignal, decideUpdate, entriesQuery, stateQuery, trainerAbsent } from './messages.ts';
import { agreeOnPlan } from './phases/plan.ts';
import { approveRelease } from './phases/approve-release.ts';
import { contain } from './phases/contain.ts';
import { eradicate } from './phases/eradicate.ts';
import { investigate } from './phases/investigate.ts';
import { learn, letGoOfCaptures } from './phases/learn.ts';
import { preserve } from './phases/preserve.ts';
import { recover } from './phases/recover.ts';
import { release, returnToContainment } from './phases/release.ts';
import { triageAlerts } from './phases/triage.ts';
import { validate } from './phases/validate.ts';

/** The runbook on the wall. One open incident per endpoint; it ends with the endpoint in a stance that a person or a proof stands for. */
export async function incident(input: IncidentInput): Promise<IncidentResult> {
  const open = new IncidentCase(incidentIdOf(input.endpoint, workflowInfo().firstExecutionRunId), input.endpoint);
  listen(open);
  await condition(() => open.ledger.alerts.length > 0);
  open.attributes.note({ incident: open.incident, endpoint: input.endpoint, waiting: '-' });

  void open.watchForCancel();
  void open.watchForSeverity();
  let outcome: Outcome;
  try {
    outcome = await respond(open);
  } catch (error) {
    outcome = await endSafely(open, error);
  }
  return await CancellationScope.nonCancellable(() => close(open, outcome));
}

async function respond(open: IncidentCase): Promise<Outcome> {
  await open.phase('triage', () => triageAlerts(open));
  const containment = await open.phase('contain', () => contain(open));
  const capture = await open.phase('preserve', () => preserve(open, containment));
  const subject = await open.phase('investigate', () => investigate(open, capture));
  const plan = await open.phase('plan', () => agreeOnPlan(open, subject));

  let trained = null;
  let candidate = plan.action === 'resume' ? plan.previous.artifact : plan.checkpoint.artifact;
  if (plan.action === 'retrain') {
    const sanitized = await open.phase('eradicate', () => eradicate(open, plan));
    trained = await open.phase('recover', () => recover(open, plan, sanitized.dataset));
  } else if (plan.action === 'unlearn') trained = await open.phase('recover', () => recover(open, plan, plan.dataset));
  if (trained) candidate = trained.result.artifact;

  const validated = await open.phase('validate', () => validate(open, candidate, capture));
  const approved = await open.phase('approve-release', () => approveRelease(open, candidate, validated));
  await open.phase('release', () => release(open, plan, approved, candidate, trained));
  return trained ? 'repaired' : 'restored';
}

/** Aborted or cancelled, by a person's signed word or by Temporal's own cancel: never leave an endpoint in a stance nobody stands for. */
async function endSafely(open: IncidentCase, error: unknown): Promise<Outcome> {
  const how = error instanceof Ended ? error.how : isCancellation(error) ? 'cancelled' : null;
  if (!how) throw error;
  await CancellationScope.nonCancellable(async () => {
    open.note('incident', how, 'noted', `${how}: the endpoints stay in the stance they are contained in`);
    await returnToContainment(open);
  });
  return how;
}

async function close(open: IncidentCase, outcome: Outcome): Promise<IncidentResult> {
  open.ignoreCancellation();
  const learned = await open.phase(
    'learn',
    () => learn(open),
    () => ({ report: null }),
  );
  await letGoOfCaptures(open);
  open.note('incident', 'close', 'done', `outcome: ${outcome}`);
  const { head, ref } = await open.phase('learn', () => open.checkpoint());
  open.ledger.closing = { outcome, closedAt: new Date().toISOString(), report: learned.report, checkpoint: ref };
  open.attributes.publish({ outcome, waiting: '-' });
  open.show();
  await open.drain();
  return { incident: open.incident, outcome, report: learned.report, checkpoint: ref, log: head };
}

function listen(open: IncidentCase): void {
  setHandler(alertSignal, (alert) => open.receive(alert), {
    description: 'An authenticated alert joins this incident',
  });
  setHandler(decideUpdate, (statement) => open.decide(statement), {
    validator: (statement) => void open.desk.check(statement),
    description: 'A signed decision (compact JWS, typ lazaret-approval+jws) for a gate that waits',
  });
  setHandler(stateQuery, () => open.state(), { description: 'Everything that is known of the incident' });
  setHandler(entriesQuery, (from) => ({ entries: open.recorder.entries.slice(Math.max(0, from)) }), {
    description: 'The case log from an entry on',
  });
  setHandler(trainerAbsent, (queue) => void (open.ledger.trainerAbsent = queue), {
    description: 'No trainer serves the queue',
  });
}
