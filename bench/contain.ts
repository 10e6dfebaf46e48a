import { incidentWorkflowId } from '../domain/contracts/messages.ts';
import { raise } from './alerts.ts';
import { main, type Measured, type Wish } from './bench.ts';
import { atMost, distributionOf } from './figures.ts';
import { openFleet, type Fleet } from './fleet.ts';
import { openFloor, type Floor } from './floor.ts';
import { createCaller, type Caller } from './http.ts';
import { visit } from './visitor.ts';

/** From the alert at the webhook to the endpoint that refuses, one incident after the other. */
const P50_LIMIT_MS = 50;
const P99_LIMIT_MS = 150;
const INCIDENTS = { full: 100, quick: 12 } as const;
/** The first ones pay for just-in-time compilation and first connections. */
const WARM_UP = 5;
const PATIENCE_MS = 10_000;
/** The visitor's connection and the model's thread are warm before the alert. */
const VISIT_BEFORE_MS = 100;
/** Until the incident waits for a person; then it is ended, so that the next one is measured beside nothing. */
const SETTLE_PATIENCE_MS = 60_000;
const SETTLE_POLL_MS = 100;
const REST_MS = 100;

interface Sample {
  /** To the first refused request of a visitor. */
  readonly refusedMs: number;
  /** To the instant of the swap by the gateway's own clock, in whole milliseconds. */
  readonly swappedMs: number;
  /** To the webhook's 202. */
  readonly acceptedMs: number;
  readonly longestGapMs: number;
  readonly floorMs: number;
}

async function contain({ quick, tell }: Wish): Promise<Measured> {
  const incidents = quick ? INCIDENTS.quick : INCIDENTS.full;
  const fleet = await openFleet(WARM_UP + incidents, tell);
  try {
    const floor = await openFloor(fleet.station, fleet.temporal);
    const webhook = createCaller(1);
    try {
      tell(`${WARM_UP} incidents to warm up, then ${incidents} that count, one after the other`);
      const samples: Sample[] = [];
      for (const [index, endpoint] of fleet.endpoints.entries()) {
        const sample = await sampleOf(fleet, floor, webhook, endpoint);
        if (index >= WARM_UP) samples.push(sample);
        if (samples.length > 0 && samples.length % 20 === 0) tell(`  ${samples.length} incidents`);
      }
      return resultOf(samples);
    } finally {
      webhook.close();
      await floor.close();
    }
  } finally {
    await fleet.close();
  }
}

async function sampleOf(fleet: Fleet, floor: Floor, webhook: Caller, endpoint: string): Promise<Sample> {
  const visitor = visit(fleet.station.urls.inference, endpoint, PATIENCE_MS);
  try {
    await pause(VISIT_BEFORE_MS);
    const wallClock = Date.now() - performance.now();
    const alert = await raise(fleet.station, webhook, endpoint, 'contain');
    const refusedAt = await visitor.refused;
    const status = await fleet.adapter.read(endpoint);
    if (status.stance.kind !== 'isolated' || status.incident !== alert.incident)
      throw new Error(`${endpoint} refuses, but not for incident ${alert.incident}: ${JSON.stringify(status)}`);
    await end(fleet, endpoint, alert.incident);
    await pause(REST_MS);
    return {
      refusedMs: refusedAt - alert.sentAt,
      swappedMs: Date.parse(status.since) - wallClock - alert.sentAt,
      acceptedMs: alert.acceptedAt - alert.sentAt,
      longestGapMs: visitor.seen().longestGapMs,
      floorMs: await floor.once(),
    };
  } finally {
    visitor.stop();
  }
}

/** The incident does all that it can do alone, and is then ended in Temporal: nobody will decide anything here. */
async function end({ incidents, temporal }: Fleet, endpoint: string, incident: string): Promise<void> {
  const deadline = performance.now() + SETTLE_PATIENCE_MS;
  for (;;) {
    const state = await incidents.state(incident);
    const waiting = state.status === 'running' ? state.waiting.for : 'closed';
    if (waiting === 'command' || waiting === 'approval') break;
    if (performance.now() > deadline) throw new Error(`incident ${incident} came to no gate: it is in ${state.phase}`);
    await pause(SETTLE_POLL_MS);
  }
  await temporal.workflow.getHandle(incidentWorkflowId(endpoint)).terminate('the bench has seen enough');
}

function resultOf(samples: readonly Sample[]): Measured {
  const spread = (pick: (sample: Sample) => number) => distributionOf(samples.map(pick));
  const refused = spread((sample) => sample.refusedMs);
  return {
    figures: [
      atMost('contain_p50', refused.p50, 'ms', P50_LIMIT_MS),
      atMost('contain_p99', refused.p99, 'ms', P99_LIMIT_MS),
    ],
    beside: {
      incidents: samples.length,
      contained_ms: refused,
      swapped_by_receipt_ms: spread((sample) => sample.swappedMs),
      webhook_accepted_ms: spread((sample) => sample.acceptedMs),
      floor_signal_with_start_and_empty_local_activity_ms: spread((sample) => sample.floorMs),
      visitor_longest_gap_ms: spread((sample) => sample.longestGapMs),
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

await main('contain', contain);
