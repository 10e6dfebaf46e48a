import { BRIEF } from '../../domain/incident/limits.ts';
import { triage } from '../../domain/incident/triage.ts';
import type { IncidentCase } from '../case/incident-case.ts';

/** Kind, stage and severity, from the alerts and from what the owner declared about the endpoint. */
export async function triageAlerts(incident: IncidentCase): Promise<void> {
  const { ledger } = incident;
  const brief = await incident.act(
    { phase: 'triage', call: 'brief', options: BRIEF, local: BRIEF },
    { endpoint: ledger.endpoint },
    (found) => `model ${found.model}, sensitivity ${found.sensitivity}, ${found.trust.people.length} people may decide`,
  );
  ledger.brief = brief;
  ledger.triage = triage(ledger.alerts, brief.sensitivity);
  const { kind, severity, stage, reasons } = ledger.triage;
  incident.note('triage', 'severity', 'done', `${severity} ${kind}, enters by ${stage}: ${reasons.join('; ')}`);
  incident.attributes.note({ kind, severity });
}
