import { isContained, STANCE_TYPE, stanceOrderSchema, type StanceOrder } from '../../domain/contracts/stance.ts';
import { verifyCompactJws } from '../../domain/proofs/jws.ts';
import { checkNatively } from '../keys/native-check.ts';
import { verificationKeysFor } from '../keys/trusted-keys.ts';
import type { TrustedKey } from '../ports.ts';

/** A responder answers for incidents; a deployer only for normal service. A key that may do both is a responder. */
export type Authority = 'respond' | 'deploy';

export interface SignedOrder {
  readonly token: string;
  readonly order: StanceOrder;
  readonly authority: Authority;
}

export type OrderRefusal =
  'unverified' | 'malformed' | 'other-endpoint' | 'authority' | 'future' | 'not-newer' | 'rules';

/** Why an order is not obeyed. The stance before it holds. */
export class OrderRefused extends Error {
  readonly reason: OrderRefusal;
  constructor(reason: OrderRefusal, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'OrderRefused';
    this.reason = reason;
  }
}

export type OrderReader = (token: string) => SignedOrder;

/** Verifies a signed order; throws OrderRefused. Before that, its text is an attacker's. */
export function createOrderReader(keys: readonly TrustedKey[]): OrderReader {
  const responders = verificationKeysFor(keys, 'stance:respond');
  const deployers = verificationKeysFor(keys, 'stance:deploy').filter(
    ({ kid }) => !responders.some((responder) => responder.kid === kid),
  );
  return (token) => {
    const { payload, kid } = verified(token, [...responders, ...deployers]);
    const parsed = stanceOrderSchema.safeParse(payload);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new OrderRefused(
        'malformed',
        `the order is wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? ''}`,
      );
    }
    return { token, order: parsed.data, authority: responders.some((key) => key.kid === kid) ? 'respond' : 'deploy' };
  };
}

function verified(token: string, keys: Parameters<typeof verifyCompactJws>[1]['keys']) {
  try {
    return verifyCompactJws(token, { typ: STANCE_TYPE, keys, check: checkNatively });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'not a signed order';
    throw new OrderRefused('unverified', `the order does not verify: ${reason}`, { cause });
  }
}

/** How far the clocks of the station and of a gateway may be apart. */
export const MAX_CLOCK_SKEW_MS = 60_000;

/** What an endpoint has to know of the order it obeys to judge the next one. */
export interface HeldOrder {
  readonly order: StanceOrder;
  readonly authority: Authority;
  /** The highest revision a responder ordered here, 0 for none. */
  readonly responded: number;
}

/**
 * May this order replace the one that is held? `repeated`: it is the one that is held. Throws OrderRefused.
 * A stolen deployment key is one of the attacks this station answers, so it MUST NOT be able to
 * - move what is held for an incident, or hold anything for one,
 * - outrun the responder with revisions of the future,
 * - pass its own order off as the containment that is about to come (the same orderId).
 */
export function judgeOrder(next: SignedOrder, held: HeldOrder | null, nowMs: number): 'obey' | 'repeated' {
  const { order, authority } = next;
  if (held && order.orderId === held.order.orderId && authority === held.authority) return 'repeated';
  if (authority === 'deploy') {
    if (order.incident !== null)
      throw new OrderRefused('authority', 'a deployment key cannot hold an endpoint for an incident');
    if (held && held.order.incident !== null)
      throw new OrderRefused(
        'authority',
        `the endpoint is held for the incident ${held.order.incident}, which a deployment key cannot lift`,
      );
  }
  if (order.revision > nowMs + MAX_CLOCK_SKEW_MS)
    throw new OrderRefused('future', `the revision ${order.revision} lies in the future of this clock`);
  if (!held || order.revision > held.order.revision) return 'obey';
  // Both made orders at about the same time: containment outranks a deployment, but never an order of the responder's own.
  const outranks = authority === 'respond' && held.authority === 'deploy' && isContainment(order);
  if (outranks && order.revision > held.responded) return 'obey';
  throw new OrderRefused(
    'not-newer',
    `the revision ${order.revision} is not newer than ${Math.max(held.order.revision, held.responded)}`,
  );
}

/** An order that takes the endpoint out of service for an incident: from then on, nothing of the stance before it may answer. */
export function isContainment(order: StanceOrder): boolean {
  return order.incident !== null && isContained(order.stance);
}
