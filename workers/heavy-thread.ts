import { HEAVY, type HeavyActivities, type HeavyName } from '../activities/heavy.ts';
import { createCaller } from './thread-calls.ts';

/**
 * The activities that compute for seconds, in a thread of their own. In the worker's own thread they would hold up heartbeats, workflow
 * tasks and with them the containment of every other endpoint. A thread that dies takes its calls with it (`analysis/crashed`); the next call
 * starts another.
 */
export function createHeavyThread(): { readonly activities: HeavyActivities; close(): Promise<void> } {
  const source = new URL(import.meta.url.endsWith('.ts') ? './heavy.worker.ts' : './heavy.worker.js', import.meta.url);
  const caller = createCaller(source);
  const remote = Object.fromEntries(
    HEAVY.map((name): [HeavyName, (input: unknown) => Promise<unknown>] => [
      name,
      async (input) => await caller.call(name, input),
    ]),
  );
  return { activities: remote as unknown as HeavyActivities, close: caller.close };
}
