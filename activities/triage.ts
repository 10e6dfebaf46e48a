import type { TriageActivities } from '../domain/contracts/activities.ts';
import { endpointOf, type ActivityDependencies } from './dependencies.ts';

export function createTriageActivities(
  deps: Pick<ActivityDependencies, 'configuration' | 'trustRoot'>,
): TriageActivities {
  return {
    brief: async ({ endpoint }) => {
      const { model, sensitivity, containment, canary, adapter } = endpointOf(deps, endpoint);
      const uncounted = adapter === 'gateway' ? {} : { uncounted: adapter };
      return { endpoint, model, sensitivity, containment, canary, trust: deps.trustRoot, ...uncounted };
    },
  };
}
