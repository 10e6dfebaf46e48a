import type { CaseLogActivities } from '../domain/contracts/activities.ts';
import { appendEntries } from '../evidence/case-log/append.ts';
import { signCheckpoint } from '../evidence/case-log/checkpoint.ts';
import type { ActivityDependencies } from './dependencies.ts';

export function createCaseLogActivities(
  deps: Pick<ActivityDependencies, 'store' | 'signers' | 'notify'>,
): CaseLogActivities {
  return {
    appendLog: async ({ entries }) => {
      await appendEntries(deps.store, entries);
    },
    signCheckpoint: async ({ incident, head }) => ({
      checkpoint: await signCheckpoint(deps.store, deps.signers.caseLog, incident, head),
    }),
    notify: async (message) => {
      await deps.notify(message);
    },
  };
}
