import { randomBytes } from 'node:crypto';
import type { EndpointStatus, ForensicReceipt } from '../../domain/contracts/gateway.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import { Failure } from '../../domain/incident/failure.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Watch } from '../eyes/watch.ts';
import type { RequestLog } from '../log/request-log.ts';
import { ModelRefused, type ModelLoader } from '../model/loader.ts';
import type { Clock, GatewayLog } from '../ports.ts';
import type { HeldRecord, StateFolder } from '../state/state-folder.ts';
import { createModelsInUse } from './models-in-use.ts';
import {
  isContainment,
  judgeOrder,
  OrderRefused,
  type HeldOrder,
  type OrderReader,
  type SignedOrder,
} from '../../evidence/orders/stance-order.ts';
import { isolation, loadedBy, modelsOf, postureOf, type Posture } from './posture.ts';
import { weaknessOfRules } from './rules.ts';
import type { RequestWindow } from './window.ts';

export interface EndpointDependencies {
  readonly name: string;
  /** Random per process start. */
  readonly replica: string;
  readonly readOrder: OrderReader;
  readonly load: ModelLoader;
  readonly state: StateFolder;
  readonly window: RequestWindow;
  readonly requestLog: RequestLog;
  readonly watch: Watch;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
  readonly now: Clock;
}

/** One name that the gateway answers for: what it does with the next request, and the orders that change it. */
export interface Endpoint {
  readonly name: string;
  readonly window: RequestWindow;
  readonly requestLog: RequestLog;
  readonly watch: Watch;
  posture(): Posture;
  status(): EndpointStatus;
  /** Is it known what this endpoint has to do? Until then it is isolated. */
  known(): boolean;
  /**
   * Capture, then swap, under one lock: both happen between two requests, in one turn of the event loop. Resolves when capture and order are on
   * disk. Throws OrderRefused, ModelRefused or a Failure; then the stance before the order holds, unless the order was a containment.
   */
  obey(token: string, by?: 'pushed' | 'published'): Promise<ForensicReceipt>;
  /** Reads what this endpoint held before the restart. It stays isolated until `trust` or an order. */
  remember(): Promise<void>;
  /** What the published truth is about this endpoint, where it is no new order. `unreachable`: what is held counts. */
  trust(truth: 'held' | 'nothing-ordered' | 'unreachable'): Promise<void>;
  /** Digests of the objects that the held order needs. */
  needs(): readonly Digest[];
  close(): void;
}

/** An order that is obeyed. `acknowledge` writes it to disk, once; a failed writing is tried again when the order is repeated. */
interface Held extends HeldOrder {
  readonly token: string;
  acknowledge(): Promise<ForensicReceipt>;
}

const WAITING = 'This replica has just started and does not know yet what it has to do.';
const UNKNOWN = 'This replica does not know what it has to do: the published stance cannot be read.';
const NOTHING = 'no stance has been ordered yet';
const TAMPERED = 'The stance that this replica remembered does not verify.';
const LOADING = 'The model was taken off; a trusted one is being loaded in its place.';

export function createEndpoint(deps: EndpointDependencies): Endpoint {
  const { name, state, window, metrics, log, now } = deps;
  const models = createModelsInUse(deps);
  const time = (): string => now().toISOString();
  const preparation = ({ order }: Pick<SignedOrder, 'order'>) => ({ since: time, salt: order.orderId });
  let posture: Posture = isolation(WAITING, time());
  let held: Held | null = null;
  let known = false;
  let closed = false;
  /** The held order whose models were refused for good: nothing is gained by trying again. */
  let hopeless: Held | null = null;
  let fulfilling: Promise<void> | null = null;
  let writing: Promise<unknown> = Promise.resolve();
  const underWay = new Map<string, Promise<ForensicReceipt>>();

  function status(): EndpointStatus {
    return {
      endpoint: name,
      replica: deps.replica,
      stance: posture.stance,
      revision: held?.order.revision ?? 0,
      orderId: held?.order.orderId ?? '',
      incident: held?.order.incident ?? null,
      since: posture.since,
      loaded: loadedBy(posture).map(([role, model]) => ({ role, ...model.about })),
      counters: posture.tally.counters(),
    };
  }

  // ---- orders

  async function obey(token: string, by: 'pushed' | 'published' = 'pushed'): Promise<ForensicReceipt> {
    const signed = deps.readOrder(token);
    if (signed.order.endpoint !== name)
      throw new OrderRefused(
        'other-endpoint',
        `the order is for the endpoint ${signed.order.endpoint}, not for ${name}`,
      );
    if (signed.order.stance.kind === 'found')
      throw new OrderRefused(
        'malformed',
        'a gateway has had no stance that nobody ordered, so there is none to put back',
      );
    const repeated = repeatedOrder(signed);
    if (repeated) return await repeated.acknowledge();
    if (isContainment(signed.order)) return await contain(signed);
    // A replica that knows nothing yet could be given an old order as a new one.
    if (!known && by === 'pushed')
      throw new Failure(
        'storage/unavailable',
        'the published stance cannot be read yet; until then only containment is obeyed',
      );
    const key = `${signed.authority} ${signed.order.orderId}`;
    const running = underWay.get(key) ?? bring(signed).finally(() => underWay.delete(key));
    underWay.set(key, running);
    return await running;
  }

  /** The held order, where this is it; null where it is a new one. Throws OrderRefused. */
  function repeatedOrder(signed: SignedOrder): Held | null {
    return judgeOrder(signed, held, now().getTime()) === 'repeated' ? held : null;
  }

  /** Waits for nothing: what cannot answer at once is isolated until it can. */
  function contain(signed: SignedOrder): Promise<ForensicReceipt> {
    const { stance } = signed.order;
    const weak = stance.kind === 'fallback' ? weaknessOfRules(stance.rules, widthOf(posture)) : null;
    const warm =
      weak === null ? postureOf(stance, models.alive(posture), { since: time(), salt: signed.order.orderId }) : null;
    const taken = swap(signed, warm ?? isolation(weak ?? LOADING, time()));
    if (weak !== null) hopeless = taken;
    models.retireAllBut(posture);
    metrics.contained(name);
    log.warn(
      { endpoint: name, orderId: signed.order.orderId, incident: signed.order.incident, stance: posture.stance.kind },
      'contained',
    );
    if (!warm) void fulfil();
    return taken.acknowledge();
  }

  /** Loads first, swaps then: until the new stance can answer, the one before it does. */
  async function bring(signed: SignedOrder): Promise<ForensicReceipt> {
    const { stance } = signed.order;
    const weak = stance.kind === 'fallback' ? weaknessOfRules(stance.rules, widthOf(posture)) : null;
    if (weak !== null) throw new OrderRefused('rules', weak);
    const next = await models.prepare(stance, preparation(signed), () => posture);
    try {
      // Another order may have come while the models were loading.
      const repeated = repeatedOrder(signed);
      if (repeated) {
        models.discard(next);
        return await repeated.acknowledge();
      }
    } catch (error) {
      models.discard(next);
      throw error;
    }
    const before = { posture, held };
    const taken = swap(signed, next);
    try {
      const receipt = await taken.acknowledge();
      models.retireAllBut(posture);
      log.info({ endpoint: name, orderId: signed.order.orderId, stance: stance.kind }, 'stance taken');
      return receipt;
    } catch (error) {
      // Not on disk, so it does not hold: after a restart it would be gone. Containment does not come this way.
      if (held === taken) {
        held = before.held;
        take(before.posture);
        models.retireAllBut(posture);
      }
      throw error;
    }
  }

  /** The lock: no await between the look and the change, so no request is answered in between. */
  function swap(signed: SignedOrder, next: Posture): Held {
    const { order, authority, token } = signed;
    const capturedAt = time();
    const before = status();
    // MUST be frozen before the stance changes: the evidence is older than the change.
    const frozen = window.freeze();
    const responded = authority === 'respond' ? order.revision : (held?.responded ?? 0);
    known = true;
    hopeless = null;
    const receipt: ForensicReceipt = {
      captureId: `${name}-${order.revision}-${randomBytes(6).toString('hex')}`,
      orderId: order.orderId,
      endpoint: name,
      replica: deps.replica,
      capturedAt,
      before,
      after: { stance: next.stance, revision: order.revision },
      window: frozen.about,
    };
    const record: HeldRecord = { schema: 'lazaret.gateway-held/v1', order: token, responded, receipt };
    const taken: Held = { order, authority, responded, token, acknowledge: written(record, frozen.bytes) };
    held = taken;
    take(next);
    return taken;
  }

  function take(next: Posture): void {
    posture = next;
    models.adopt(next);
    // While an endpoint is held its incident is open already, and whoever answers is looked at there.
    const watched = held?.order.incident === null && next.answers === 'model' ? next.live.ref.artifact.digest : null;
    deps.watch.follow(watched);
    metrics.stanceTaken(name, next.stance.kind, held?.order.incident ?? null);
  }

  /** In the order in which the stances were taken, so that the file never goes back to an older one. */
  function written(record: HeldRecord, frozen: Uint8Array): () => Promise<ForensicReceipt> {
    let done: Promise<ForensicReceipt> | null = null;
    return () => {
      done ??= (writing = writing.catch(() => undefined).then(() => state.keep(name, record, frozen))).then(
        () => record.receipt,
      );
      const mine = done;
      mine.catch(() => {
        if (done === mine) done = null;
      });
      return mine;
    };
  }

  // ---- what is held and not in force yet

  /** Brings what is held into force where it is not yet: after a restart, a crash of a model's thread, or a containment that had to wait. */
  function fulfil(): Promise<void> {
    fulfilling ??= tryToFulfil().finally(() => (fulfilling = null));
    return fulfilling;
  }

  async function tryToFulfil(): Promise<void> {
    const target = held;
    if (!target || !known || closed || hopeless === target) return;
    const complete =
      posture.stance === target.order.stance && loadedBy(posture).every(([, model]) => model.session.alive());
    if (complete) return;
    try {
      const { stance } = target.order;
      const weak = stance.kind === 'fallback' ? weaknessOfRules(stance.rules, widthOf(posture)) : null;
      if (weak !== null) throw new OrderRefused('rules', weak);
      const next = await models.prepare(stance, preparation(target), () => posture);
      if (held !== target) {
        models.discard(next);
        return await tryToFulfil();
      }
      take(next);
      models.retireAllBut(posture);
      log.info({ endpoint: name, orderId: target.order.orderId, stance: stance.kind }, 'the held stance is in force');
    } catch (error) {
      if (held !== target) return await tryToFulfil();
      if (error instanceof ModelRefused || error instanceof OrderRefused) hopeless = target;
      const reason = error instanceof Error ? error.message : String(error);
      log.error({ endpoint: name, orderId: target.order.orderId, reason }, 'the held stance cannot be taken');
      const answering = posture.answers === 'model' && posture.live.session.alive();
      if (answering) return;
      take(isolation('The model that was ordered cannot be loaded.', time()));
      models.retireAllBut(posture);
    }
  }

  // ---- start and end

  async function remember(): Promise<void> {
    try {
      const record = await state.readHeld(name);
      if (!record) return;
      const signed = deps.readOrder(record.order);
      if (signed.order.endpoint !== name) throw new OrderRefused('other-endpoint', 'the order is for another endpoint');
      held = { ...signed, responded: record.responded, acknowledge: () => Promise.resolve(record.receipt) };
      if (signed.order.stance.kind === 'isolated') take(isolation(signed.order.stance.reason, time()));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      metrics.stateRefused(name);
      log.error(
        { endpoint: name, reason },
        'the remembered stance does not verify: isolated until the published one is read',
      );
      take(isolation(TAMPERED, time()));
    }
  }

  async function trust(truth: 'held' | 'nothing-ordered' | 'unreachable'): Promise<void> {
    if (held) {
      known = true;
      await fulfil();
    } else if (truth === 'nothing-ordered') {
      if (posture.answers !== 'nobody' || posture.reason !== NOTHING) take(isolation(NOTHING, time()));
      known = true;
    } else if (!known && posture.answers === 'nobody' && posture.reason === WAITING) {
      take(isolation(UNKNOWN, time()));
    }
  }

  return {
    name,
    window,
    requestLog: deps.requestLog,
    watch: deps.watch,
    posture: () => posture,
    status,
    known: () => known,
    obey,
    remember,
    trust,
    needs: () =>
      held ? modelsOf(held.order.stance).flatMap(([, ref]) => [ref.artifact.digest, ref.signature.digest]) : [],
    close() {
      closed = true;
      models.close();
    },
  };
}

/** Features of a record that the present model takes; null where no model answers or its shape is open. */
function widthOf(posture: Posture): number | null {
  const shape = posture.answers === 'model' ? posture.live.session.signature.inputs[0]?.shape.slice(1) : undefined;
  return shape === undefined || shape.includes(-1) ? null : shape.reduce((product, dim) => product * dim, 1);
}
