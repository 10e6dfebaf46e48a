import type { OnTheWire, ResponseActivities } from '../domain/contracts/activities.ts';
import { onTheWire } from './boundary.ts';
import { createCaseLogActivities } from './case-log.ts';
import { createContainActivities } from './contain.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { createEradicateActivities } from './eradicate.ts';
import { createHeavyActivities, type HeavyActivities } from './heavy.ts';
import { createInvestigateActivities } from './investigate.ts';
import { createLearnActivities } from './learn.ts';
import { createPlanActivities } from './plan.ts';
import { createPreserveActivities } from './preserve.ts';
import { createRecoverActivities } from './recover.ts';
import { createReleaseActivities } from './release.ts';
import { createTriageActivities } from './triage.ts';
import { createValidateActivities } from './validate.ts';

/** Everything the response worker serves besides workflows. `heavy` may run elsewhere than in this thread. */
export function createResponseActivities(
  deps: ActivityDependencies,
  heavy: HeavyActivities = createHeavyActivities(deps),
): OnTheWire<ResponseActivities> {
  const ports: ResponseActivities = {
    ...createTriageActivities(deps),
    ...createContainActivities(deps),
    ...createPreserveActivities(deps),
    ...createInvestigateActivities(deps),
    ...createPlanActivities(deps),
    ...createEradicateActivities(deps),
    ...createRecoverActivities(deps),
    ...createValidateActivities(deps),
    ...createReleaseActivities(deps),
    ...createLearnActivities(deps),
    ...createCaseLogActivities(deps),
    ...heavy,
  };
  return onTheWire(ports, deps.now);
}
