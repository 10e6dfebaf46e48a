import { setTimeout as pause } from 'node:timers/promises';
import type { EndpointAdapter } from '../../domain/contracts/endpoint-adapter.ts';
import type { EndpointStatus, ForensicReceipt, Unknowable } from '../../domain/contracts/gateway.ts';
import type { Stance } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { canonicalJson, digestOfJson } from '../../domain/proofs/canonical-json.ts';
import { digestOf, hexOf } from '../../domain/proofs/digest.ts';
import {
  isContainment,
  judgeOrder,
  OrderRefused,
  type HeldOrder,
  type OrderReader,
  type SignedOrder,
} from '../../evidence/orders/stance-order.ts';
import { openRecord, sealRecord, type HeldRecord } from './held-record.ts';
import type { Json, Look, Platform } from './platform.ts';

/** So often may somebody else change the endpoint between our look and our write before the call gives up for now. */
const MAX_CONFLICTS = 8;
const PROBE_EVERY_MS = 100;
const NO_WINDOW = new Uint8Array();

interface Held extends HeldOrder {
  readonly record: HeldRecord;
}

/**
 * The five questions for a platform that is not ours. The adapter holds the platform's credential, so it verifies and judges orders itself,
 * exactly as a gateway does, before it changes anything. What was there before is kept beside the endpoint and in the receipt.
 *
 * A receipt of isolation is given only after a probe was refused: a platform's API accepts a change long before every proxy obeys it.
 * Fails with `endpoint/unreachable` (try again; the same order goes on where it stopped) or `endpoint/refused`.
 */
export function createPlatformAdapter<State extends Json>(
  platform: Platform<State>,
  deps: {
    /** The one endpoint of lazaret.yaml that this adapter reaches. */
    readonly endpoint: string;
    readonly readOrder: OrderReader;
    readonly now: () => Date;
    /** How long an isolation is probed before the order is given back as unconfirmed. */
    readonly confirmMs: number;
  },
): EndpointAdapter {
  const { endpoint, now } = deps;

  async function obey(name: string, token: string): Promise<ForensicReceipt> {
    const signed = verified(token);
    own(name);
    if (signed.order.endpoint !== endpoint)
      throw new Failure(
        'endpoint/refused',
        `the order is for the endpoint ${signed.order.endpoint}, not for ${endpoint}`,
      );
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const look = await platform.look();
      const held = heldOf(look);
      const record = repeats(signed, held) ? again(held.record, look.state) : recordOf(signed, look, held);
      const settled = record === held?.record && same(look.state, record.made);
      if (settled || (await platform.change(look, record.made as State, sealRecord(record))) === 'done') {
        await confirm(record.receipt.after.stance);
        return record.receipt;
      }
    }
    throw new Failure(
      'endpoint/unreachable',
      `${endpoint} was changed by somebody else ${MAX_CONFLICTS} times while it was being changed`,
    );
  }

  function verified(token: string): SignedOrder {
    return refusedAsFailure(() => deps.readOrder(token));
  }

  function repeats(signed: SignedOrder, held: Held | null): held is Held {
    return refusedAsFailure(() => judgeOrder(signed, held, now().getTime())) === 'repeated';
  }

  function own(name: string): void {
    if (name !== endpoint) throw new Failure('endpoint/unknown', `this adapter reaches ${endpoint}, not ${name}`);
  }

  /** The order that the endpoint stands under; null where there is none that verifies. */
  function heldOf({ record: text }: Look): Held | null {
    const record = text ? openRecord(text) : null;
    if (!record) return null;
    try {
      const { order, authority } = deps.readOrder(record.order);
      return order.endpoint === endpoint ? { record, order, authority, responded: record.responded } : null;
    } catch (error) {
      if (error instanceof OrderRefused) return null;
      throw error;
    }
  }

  /** The held order on what is there now: somebody may have added what it does not cover yet. Its receipt stays the one that was given. */
  function again(record: HeldRecord, now: State): HeldRecord {
    const { stance } = record.receipt.after;
    return same(now, record.made) || stance.kind === 'found' ? record : { ...record, made: possible(stance, now) };
  }

  /** Capture and decision in one value: nothing has been changed yet. */
  function recordOf(signed: SignedOrder, look: Look<State>, held: Held | null): HeldRecord {
    const { order, authority, token } = signed;
    if (look.record === undefined && !isContainment(order))
      throw new Failure(
        'storage/unavailable',
        'earlier orders cannot be read now; until then only containment is obeyed',
      );
    const found = held && held.order.incident !== null ? (held.record.found as State) : look.state;
    const { stance, state } = decide(signed, look, found);
    const receipt: ForensicReceipt = {
      captureId: `${endpoint}-${order.revision}-${hexOf(digestOf(token)).slice(0, 12)}`,
      orderId: order.orderId,
      endpoint,
      replica: look.told.replica ?? platform.name,
      capturedAt: now().toISOString(),
      before: statusOf(look, held),
      after: { stance, revision: order.revision },
      window: { requests: 0, bytes: 0, digest: digestOf(NO_WINDOW), from: null, to: null },
      platform: { adapter: platform.name, state: look.state, captured: look.captured },
    };
    const responded = authority === 'respond' ? order.revision : (held?.responded ?? 0);
    return { schema: 'lazaret.adapter-held/v1', order: token, responded, made: state, found, receipt };
  }

  /** What the order means here. A containment that cannot be had as it was ordered becomes isolation, where that can be had. */
  function decide({ order }: SignedOrder, look: Look<State>, found: State): { stance: Stance; state: State } {
    const { stance } = order;
    if (stance.kind === 'found') return { stance, state: foundAgain(stance.state, [found, look.state]) };
    try {
      return { stance, state: possible(stance, look.state) };
    } catch (error) {
      const isolates = platform.stances.includes('isolated') && stance.kind !== 'isolated' && isContainment(order);
      if (!isolates || !(error instanceof Failure) || error.code !== 'endpoint/refused') throw error;
      const isolated: Stance = {
        kind: 'isolated',
        reason: `instead of ${stance.kind}: ${error.message}`.slice(0, 500),
      };
      return { stance: isolated, state: possible(isolated, look.state) };
    }
  }

  function possible(stance: Stance, state: State): State {
    if (platform.stances.includes(stance.kind)) return platform.towards(stance, state);
    throw new Failure(
      'endpoint/refused',
      `${platform.name} cannot take the stance "${stance.kind}"; it can take ${platform.stances.join(', ')}`,
    );
  }

  function foundAgain(digest: string, known: readonly State[]): State {
    const state = known.find((one) => digestOfJson(one) === digest);
    if (state !== undefined) return state;
    throw new Failure(
      'endpoint/refused',
      `nothing with the digest ${digest} is kept of ${endpoint}, so it cannot be put back`,
    );
  }

  function statusOf(look: Look<State>, held: Held | null): EndpointStatus {
    // An order says what the stance is only as long as nobody changed what it made.
    const stands = held !== null && same(look.state, held.record.made);
    const since = stands ? held.record.receipt.capturedAt : look.told.since;
    const cannotTell: Unknowable[] = ['loaded', 'window'];
    if (look.told.replica === undefined) cannotTell.push('replica');
    if (since === undefined) cannotTell.push('since');
    if (look.told.counters === undefined) cannotTell.push('counters');
    if (look.record === undefined) cannotTell.push('earlier-orders');
    return {
      endpoint,
      replica: look.told.replica ?? platform.name,
      stance: stands
        ? held.record.receipt.after.stance
        : { kind: 'found', state: digestOfJson(look.state), words: look.words.slice(0, 500) || 'no words' },
      revision: held?.order.revision ?? 0,
      orderId: held?.order.orderId ?? '',
      incident: held?.order.incident ?? null,
      since: since ?? now().toISOString(),
      loaded: [],
      counters: look.told.counters ?? { requests: 0, refused: 0, invalid: 0, errors: 0, arms: {} },
      cannotTell,
    };
  }

  async function confirm(stance: Stance): Promise<void> {
    if (stance.kind !== 'isolated') return;
    const deadline = performance.now() + deps.confirmMs;
    for (;;) {
      const { behaviour, text } = await platform.probe();
      if (behaviour === 'refusing') return;
      if (performance.now() > deadline)
        throw new Failure('endpoint/unreachable', `${platform.name} took the order, but a probe says: ${text}`);
      await pause(PROBE_EVERY_MS);
    }
  }

  return {
    read: async (name) => {
      own(name);
      const look = await platform.look();
      return statusOf(look, heldOf(look));
    },
    captureAndSwap: obey,
    restore: obey,
    verify: async (name, expected) => {
      own(name);
      const { behaviour, text } = await platform.probe();
      return { holds: behaviour === expected, observed: text };
    },
    describe: () => ({ adapter: platform.name, captures: platform.captures, stances: [...platform.stances, 'found'] }),
    window: () => Promise.resolve(NO_WINDOW),
    model: () => Promise.resolve(null),
    // The record lies on the platform until the next order: it is what restores.
    forget: () => Promise.resolve(),
  };
}

function same(one: Json, other: Json): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

function refusedAsFailure<T>(judge: () => T): T {
  try {
    return judge();
  } catch (cause) {
    if (cause instanceof OrderRefused) throw new Failure('endpoint/refused', cause.message, { cause });
    throw cause;
  }
}
