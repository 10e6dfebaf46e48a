import { TemporalUnavailable, WorkerSilent } from '../clients/temporal/errors.ts';
import type { IncidentState } from '../domain/incident/state.ts';
import { INCIDENT_WORKFLOW } from '../domain/contracts/messages.ts';
import { raise, type Accepted } from './alerts.ts';
import { main, type Measured, type Wish } from './bench.ts';
import { atMost, distributionOf, exactly, tenths } from './figures.ts';
import { openFleet, type Fleet } from './fleet.ts';
import { openFloor } from './floor.ts';
import { createCaller } from './http.ts';

/** Many different alerts in one moment: all contained, none lost. */
const ALERTS = { full: 200, quick: 50 } as const;
const LIMIT_S = 10;
/** Endpoints that are sent an alert before, so that no process does anything for the first time. */
const WARM_UP = 3;
const PATIENCE_MS = 120_000;
/** Between two looks at those endpoints that are not contained yet. */
const LOOK_MS = 50;
/** What Temporal may need to list everything; visibility lags. */
const LIST_PATIENCE_MS = 30_000;
const LOOKS_AT_ONCE = 8;

async function storm({ quick, tell }: Wish): Promise<Measured> {
  const alerts = quick ? ALERTS.quick : ALERTS.full;
  const fleet = await openFleet(WARM_UP + alerts, tell);
  try {
    const floor = await openFloor(fleet.station, fleet.temporal);
    await floor.burst(WARM_UP);
    const floorMs = await floor.burst(alerts);
    await floor.close();

    const first = createCaller(1);
    for (const endpoint of fleet.endpoints.slice(0, WARM_UP)) {
      await raise(fleet.station, first, endpoint, 'warm-up');
      await allContained(fleet, [endpoint]);
    }
    first.close();
    await pause(3_000);

    tell(`${alerts} alerts at once`);
    const endpoints = fleet.endpoints.slice(WARM_UP);
    const caller = createCaller(alerts);
    const wallClock = Date.now() - performance.now();
    const from = performance.now();
    const [accepted, seenAt] = await Promise.all([
      Promise.all(endpoints.map((endpoint) => raise(fleet.station, caller, endpoint, 'storm'))),
      allContained(fleet, endpoints),
    ]);
    caller.close();
    const swapped: number[] = [];
    for (const endpoint of endpoints) {
      const status = await fleet.adapter.read(endpoint);
      swapped.push(Date.parse(status.since) - wallClock - from);
    }
    tell(
      `every endpoint was contained after ${tenths((seenAt - from) / 1000)} s; looking for every alert in its incident`,
    );
    const kept = await keptAlerts(fleet, endpoints, accepted);
    return {
      figures: [
        atMost('storm_contained_within', (seenAt - from) / 1000, 's', LIMIT_S),
        exactly('storm_contained', swapped.length, 'endpoints', alerts),
        exactly('storm_lost', alerts - kept, 'alerts', 0),
      ],
      beside: {
        alerts,
        contained_ms: distributionOf(swapped),
        webhook_accepted_ms: distributionOf(accepted.map((one) => one.acceptedAt - one.sentAt)),
        webhook_retries: accepted.reduce((sum, one) => sum + one.retries, 0),
        floor_last_local_activity_ms: tenths(floorMs),
      },
    };
  } finally {
    await fleet.close();
  }
}

/** Looks at the gateway's admin surface until every endpoint is isolated for an incident; the moment the last one was seen to be. */
async function allContained(fleet: Fleet, endpoints: readonly string[]): Promise<number> {
  const deadline = performance.now() + PATIENCE_MS;
  let open = [...endpoints];
  for (;;) {
    const still: string[] = [];
    for (const endpoint of open) {
      const { stance, incident } = await fleet.adapter.read(endpoint);
      if (stance.kind !== 'isolated' || incident === null) {
        still.push(endpoint);
        // The others are behind it in the queue, as a rule: asking for all of them would only slow them down.
        if (still.length >= 8) break;
      }
    }
    const looked = new Set(still);
    const last = still.at(-1);
    const after = last === undefined || still.length < 8 ? [] : open.slice(open.indexOf(last) + 1);
    open = [...looked, ...after];
    if (open.length === 0) return performance.now();
    if (performance.now() > deadline)
      throw new Error(`${open.length} endpoints were not contained within ${PATIENCE_MS / 1000} s`);
    await pause(LOOK_MS);
  }
}

/** How many of the alerts stand in an incident of their own, and no other alert beside them. */
async function keptAlerts(fleet: Fleet, endpoints: readonly string[], accepted: readonly Accepted[]): Promise<number> {
  const deadline = performance.now() + LIST_PATIENCE_MS;
  const query = `WorkflowType = "${INCIDENT_WORKFLOW}"`;
  for (;;) {
    const listed = new Set<string>();
    for await (const info of fleet.temporal.workflow.list({ query })) listed.add(info.workflowId);
    if (listed.size >= fleet.endpoints.length) break;
    if (performance.now() > deadline)
      throw new Error(`Temporal lists ${listed.size} incidents instead of ${fleet.endpoints.length}`);
    await pause(LOOK_MS);
  }
  const distinct = new Set(accepted.map((one) => one.incident));
  const waiting = endpoints.map((endpoint, index) => ({ endpoint, incident: accepted[index]?.incident ?? '' }));
  let kept = 0;
  const look = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { alerts, endpoint } = await stateOf(fleet, next.incident);
      const own = endpoint === next.endpoint && alerts.first.endpoint === next.endpoint && alerts.count === 1;
      if (own && distinct.delete(next.incident)) kept += 1;
    }
  };
  const looks = await Promise.allSettled(Array.from({ length: LOOKS_AT_ONCE }, look));
  for (const one of looks)
    if (one.status === 'rejected') throw one.reason instanceof Error ? one.reason : new Error(String(one.reason));
  return kept;
}

/** The incidents are still at work on what comes after containment: a question may have to wait for an answer. */
async function stateOf(fleet: Fleet, incident: string): Promise<IncidentState> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await fleet.incidents.state(incident);
    } catch (error) {
      const passing = error instanceof WorkerSilent || error instanceof TemporalUnavailable;
      if (!passing || performance.now() > deadline) throw error;
    }
    await pause(LOOK_MS);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

await main('storm', storm);
