import type { IncidentClient } from '../../clients/temporal/incident-client.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import type { RunningStation } from '../describe.ts';
import type { Doors } from './doors.ts';
import { signDecision } from './people.ts';

/** Who speaks at which gate in the drill: one person for the plan, two people in two roles for the release. */
const SPEAKERS = {
  plan: [{ person: 'ada', role: 'ml-engineer' }],
  release: [
    { person: 'sol', role: 'security-lead' },
    { person: 'mo', role: 'model-owner' },
  ],
} as const;

const POLL_MS = 250;
const PATIENCE_MS = 10 * 60_000;

export class DrillFellShort extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** What tests hook in: called once for each new log entry, and once when a gate opens, before anybody speaks. */
export interface Watcher {
  onStep?(step: string): void;
  onState?(state: IncidentState): void;
  onGate?(gate: 'plan' | 'release', state: IncidentState & { status: 'running' }): Promise<void>;
}

/** Follows the incident to its end as its people would: reads the timeline, and signs what it is asked to decide. */
export async function seeThrough(
  station: RunningStation,
  incidents: IncidentClient,
  doors: Doors,
  incident: string,
  tell: (text: string) => void,
  watcher: Watcher = {},
): Promise<IncidentState & { status: 'closed' }> {
  const deadline = Date.now() + PATIENCE_MS;
  const spoken = new Set<string>();
  let seen = 0;
  for (;;) {
    if (Date.now() > deadline)
      throw new DrillFellShort(
        'internal/error',
        `incident ${incident} did not close within ${PATIENCE_MS / 60_000} minutes`,
      );
    const state = await incidents.state(incident).catch(() => null);
    // Entries after the state: once it says "closed", nothing more is written, so the last ones are told too.
    const entries = await incidents.entries(incident, seen).catch(() => []);
    for (const entry of entries) {
      tell(`${entry.at.slice(11, 23)}  ${entry.phase.padEnd(15)} ${entry.step}: ${entry.summary}`);
      watcher.onStep?.(`${entry.phase} ${entry.step}`);
      seen = entry.seq + 1;
    }
    if (state) watcher.onState?.(state);
    if (state?.status === 'closed') return state;
    if (state?.status === 'running') await speak(station, doors, state, spoken, watcher);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function speak(
  station: RunningStation,
  doors: Doors,
  state: IncidentState & { status: 'running' },
  spoken: Set<string>,
  watcher: Watcher,
): Promise<void> {
  const { waiting } = state;
  if (waiting.for === 'command')
    throw new DrillFellShort(waiting.failure.code, `${waiting.gate}: ${waiting.failure.message}`);
  if (waiting.for !== 'approval' || spoken.has(waiting.digest)) return;
  spoken.add(waiting.digest);
  await watcher.onGate?.(waiting.gate, state);
  for (const speaker of SPEAKERS[waiting.gate]) {
    const statement = await signDecision(station, speaker, {
      incident: state.incident,
      gate: waiting.gate,
      digest: waiting.digest,
      decision: 'approve',
      reason: `drill: ${waiting.summary}`.slice(0, 500),
    });
    const reply = await doors.decide(state.incident, statement);
    if (reply.status >= 300 && !saidAlready(reply))
      throw new DrillFellShort(
        'internal/error',
        `the decision of ${speaker.person} was refused with ${reply.status}: ${JSON.stringify(reply.body)}`,
      );
  }
}

/** A person who spoke at this gate already (a test's, or the page's word) is no fault of the drill's. */
function saidAlready(reply: { status: number; body: unknown }): boolean {
  return reply.status === 409 && /has already said|already settled/.test(JSON.stringify(reply.body));
}
