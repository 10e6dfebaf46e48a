import type { SanitizedDataset } from '../../domain/contracts/activities.ts';
import type { Plan } from '../../domain/contracts/plan.ts';
import { ANALYSIS } from '../../domain/incident/limits.ts';
import type { IncidentCase } from '../case/incident-case.ts';

/** A new data set version without the tainted records; the difference is evidence. */
export async function eradicate(incident: IncidentCase, plan: Plan & { action: 'retrain' }): Promise<SanitizedDataset> {
  const sanitized = await incident.act(
    { phase: 'eradicate', call: 'sanitizeDataset', options: ANALYSIS },
    { incident: incident.incident, dataset: plan.dataset, drop: plan.drop },
    (made) =>
      `${made.dropped} records dropped, ${made.kept} kept, new version ${made.dataset.manifest.digest.slice(0, 19)}…`,
  );
  incident.ledger.sanitized = sanitized;
  return sanitized;
}
