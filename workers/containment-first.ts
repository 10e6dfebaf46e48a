import type { ActivityInterceptorsFactory, ActivitySlotInfo, CustomSlotSupplier } from '@temporalio/worker';

export interface ContainmentFirst {
  /** Sees when this worker contains: local activities are the way to containment, and nothing else is one. */
  readonly interceptor: ActivityInterceptorsFactory;
  /** Hands out the worker's places for all other activities. */
  readonly slots: CustomSlotSupplier<ActivitySlotInfo>;
}

export interface Timers {
  readonly now: () => number;
  /** Rejects with an AbortError when the signal says so. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * In a storm of alerts, the work on incidents that are contained already MUST NOT keep the others waiting for their containment: while this
 * worker contains, no other activity begins. They are not even asked for, so each costs the server nothing until its turn comes. A place is
 * waited for a bounded time only, so nothing starves.
 */
export function createContainmentFirst({ now, pause }: Timers): ContainmentFirst {
  let containing = 0;
  /** When the newest containments ended, oldest first, STORM_SIZE at most. */
  const ended: number[] = [];
  const busy = (): boolean => {
    if (containing > 0) return true;
    const last = ended.at(-1) ?? -Infinity;
    const storm = ended.length === STORM_SIZE && last - (ended[0] ?? 0) < STORM_WITHIN_MS;
    return now() - last < (storm ? STORM_QUIET_MS : QUIET_MS);
  };

  let given = 0;
  const isFree = (waited: boolean): boolean => given < PLACES && (waited || !busy());

  return {
    interceptor: (context) => ({
      inbound: {
        execute: async (input, next) => {
          if (!context.info.isLocal) return await next(input);
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
    }),
    slots: {
      type: 'custom',
      reserveSlot: async (_context, signal) => {
        const patient = now() + PATIENCE_MS;
        while (!isFree(now() >= patient)) await pause(STEP_MS, signal);
        given += 1;
        return {};
      },
      tryReserveSlot: () => {
        if (!isFree(false)) return null;
        given += 1;
        return {};
      },
      markSlotUsed: () => {},
      releaseSlot: () => void (given -= 1),
    },
  };
}

/** Activities that run at once in this worker. */
const PLACES = 100;
const PATIENCE_MS = 10_000;
/** It still contains until nothing was contained for this long, */
const QUIET_MS = 250;
/** or for this long after a storm: that many local activities within that time. Each incident has two of them on its way to containment. */
const STORM_QUIET_MS = 1_500;
const STORM_SIZE = 12;
const STORM_WITHIN_MS = 3_000;
const STEP_MS = 50;
