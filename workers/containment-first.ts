import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { ResponseActivities } from '../domain/contracts/activities.ts';

/**
 * In a storm of alerts, the work on incidents that are contained already MUST NOT keep the others waiting for their containment: while this
 * worker contains, other activities begin later. Each waits once and for a bounded time, so nothing starves and nothing is lost.
 */
export function createContainmentFirst(now: () => number): ActivityInterceptorsFactory {
  let containing = 0;
  /** When the newest containments ended, oldest first, STORM_SIZE at most. */
  const ended: number[] = [];
  const busy = (): boolean => {
    if (containing > 0) return true;
    const last = ended.at(-1) ?? -Infinity;
    const storm = ended.length === STORM_SIZE && last - (ended[0] ?? 0) < STORM_WITHIN_MS;
    return now() - last < (storm ? STORM_QUIET_MS : QUIET_MS);
  };

  return (context) => ({
    inbound: {
      execute: async (input, next) => {
        const { activityType, isLocal } = context.info;
        if (!isLocal) {
          if (!NEVER_WAITS.has(activityType)) await wait(context, busy, now);
          return await next(input);
        }
        containing += 1;
        try {
          return await next(input);
        } finally {
          containing -= 1;
          ended.push(now());
          if (ended.length > STORM_SIZE) ended.shift();
        }
      },
    },
  });
}

/** Whatever changes or publishes a stance. Local activities are the way to containment itself. */
const NEVER_WAITS: ReadonlySet<string> = new Set([
  'captureAndSwap',
  'publishContainment',
  'publishStance',
  'takeStance',
] satisfies (keyof ResponseActivities)[]);
/** Other work begins when nothing was contained for this long, */
const QUIET_MS = 250;
/** or for this long after a storm: that many local activities within that time. Each incident has two of them on its way to containment. */
const STORM_QUIET_MS = 1_500;
const STORM_SIZE = 12;
const STORM_WITHIN_MS = 3_000;
/** Far below every timeout of an activity (`domain/incident/limits.ts`). */
const PATIENCE_MS = 20_000;
const STEP_MS = 250;

async function wait(context: Context, busy: () => boolean, now: () => number): Promise<void> {
  const deadline = now() + PATIENCE_MS;
  while (busy() && now() < deadline) {
    // Without a beat, a worker that waits would pass for one that was killed.
    context.heartbeat();
    await context.sleep(STEP_MS);
  }
}
