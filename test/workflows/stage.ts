import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import type { Decision } from '../../domain/proofs/decisions.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { say, type FakeWorld } from './fake-world.ts';

/** A running incident and what people do with it: the words the stories are told in. */
export interface Stage {
  readonly world: FakeWorld;
  readonly handle: WorkflowHandle;
  readonly incident: string;
  state(): Promise<IncidentState>;
  waitsAt(gate: string): Promise<string>;
  send(token: string): Promise<unknown>;
  decide(
    person: string,
    role: string,
    gate: 'plan' | 'release' | 'incident' | `failed:${string}`,
    digest: string,
    decision?: Decision,
  ): Promise<unknown>;
  approveEverything(): Promise<void>;
  /** Waits until a workflow task after the `times`-th completion of an activity has ended. */
  completed(activity: string, times: number): Promise<void>;
}

export function stageOf(world: FakeWorld, handle: WorkflowHandle & { signaledRunId: string }): Stage {
  const incident = `digits-${handle.signaledRunId.replaceAll('-', '').slice(0, 8)}`;
  const state = (): Promise<IncidentState> => handle.query<IncidentState>('state');
  const send = async (token: string): Promise<unknown> => {
    try {
      return await handle.executeUpdate('decide', { args: [token] });
    } catch (error) {
      throw error instanceof WorkflowUpdateFailedError && error.cause ? error.cause : error;
    }
  };
  const at: Stage = {
    world,
    handle,
    incident,
    state,
    send,
    waitsAt: async (gate) => {
      for (let attempt = 0; attempt < 400; attempt += 1) {
        const now = await state();
        if (now.status === 'closed') throw new Error(`closed as ${now.outcome} instead of waiting at ${gate}`);
        const { waiting } = now;
        if ((waiting.for === 'approval' || waiting.for === 'command') && waiting.gate === gate) return waiting.digest;
        if (waiting.for === 'command')
          throw new Error(`waits at ${waiting.gate}: ${waiting.failure.code} ${waiting.failure.message}`);
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error(`never waited at ${gate}: ${JSON.stringify((await state()).status)}`);
    },
    decide: (person, role, gate, digest, decision = 'approve') =>
      send(say(world, person, role, { incident, gate, digest, decision })),
    completed: async (activity, times) => {
      for (let attempt = 0; attempt < 400; attempt += 1) {
        const events = (await handle.fetchHistory()).events ?? [];
        const scheduled = events.flatMap((event) =>
          event.activityTaskScheduledEventAttributes?.activityType?.name === activity ? [String(event.eventId)] : [],
        );
        const index = events.findIndex(
          (event) => String(event.activityTaskCompletedEventAttributes?.scheduledEventId) === scheduled[times - 1],
        );
        if (index >= 0 && events.slice(index).some((event) => event.workflowTaskCompletedEventAttributes)) return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error(`${activity} did not complete ${times} times`);
    },
    approveEverything: async () => {
      await at.decide('ada', 'ml-engineer', 'plan', await at.waitsAt('plan'));
      const release = await at.waitsAt('release');
      await at.decide('sol', 'security-lead', 'release', release);
      await at.decide('mo', 'model-owner', 'release', release);
    },
  };
  return at;
}
