import type { ResponseActivities } from '../domain/contracts/activities.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createInvestigateActivities } from './investigate.ts';
import { createPlanActivities } from './plan.ts';
import { createValidateActivities } from './validate.ts';

/** Activities that compute for seconds. Whoever runs them beside containment gives them a thread of their own. */
export const HEAVY = ['analyse', 'draftPlan', 'validateCandidate'] as const;
export type HeavyName = (typeof HEAVY)[number];
export type HeavyActivities = Pick<ResponseActivities, HeavyName>;

export function createHeavyActivities(deps: ActivityDependencies): HeavyActivities {
  const { analyse } = createInvestigateActivities(deps);
  const { draftPlan } = createPlanActivities(deps);
  const { validateCandidate } = createValidateActivities(deps);
  return { analyse, draftPlan, validateCandidate };
}
