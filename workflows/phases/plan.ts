import type { AnalysisSubject } from '../../domain/contracts/activities.ts';
import type { Plan } from '../../domain/contracts/plan.ts';
import { ANALYSIS } from '../../domain/incident/limits.ts';
import type { IncidentCase } from '../case/incident-case.ts';

/** Draws the plan up from the findings and waits until a person has approved exactly it. */
export async function agreeOnPlan(incident: IncidentCase, subject: AnalysisSubject): Promise<Plan> {
  const { plan } = await incident.act(
    { phase: 'plan', call: 'draftPlan', options: ANALYSIS },
    { subject, findings: incident.ledger.findings, attempt: (incident.ledger.drafts += 1) },
    (draft) => describePlan(draft.plan),
  );
  incident.ledger.plan = plan;
  // From here on the evidence can be exported and checked, long before the incident closes.
  await incident.checkpoint();
  await incident.gates.approval('plan', plan, describePlan(plan));
  return plan;
}

export function describePlan(plan: Plan): string {
  switch (plan.action) {
    case 'retrain':
      return `drop ${plan.drop.count} records and retrain from ${plan.checkpoint.version}${plan.trigger ? ', the trigger laid over records that keep their labels' : ''} (${plan.hyperparameters.epochs} epochs, at most ${plan.budget.seconds} s)`;
    case 'unlearn':
      return `take the trigger out of the suspect with records of ${plan.dataset.name} (${plan.hyperparameters.epochs} epochs, at most ${plan.budget.seconds} s)`;
    case 'restore':
      return `put the golden model ${plan.checkpoint.version} back`;
    case 'resume':
      return `resume service with ${plan.previous.version}: nothing was found`;
  }
}
