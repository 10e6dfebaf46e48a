import {
  isContained,
  STANCE_TYPE,
  stanceOrderSchema,
  type Stance,
  type StanceOrder,
} from '../domain/contracts/stance.ts';
import { verifyCompactJws } from '../domain/proofs/jws.ts';
import { checkNatively } from '../evidence/keys/native-check.ts';
import { signCompactJws } from '../evidence/keys/signer.ts';
import { verificationKeysFor } from '../evidence/keys/trusted-keys.ts';
import { DOCUMENTS, type Signer, type Store, type TrustedKey } from '../evidence/ports.ts';

/** Signs stance orders; revisions rise even when the clock stands still or steps back. */
export function createOrderBook(
  signer: Signer,
  now: () => Date,
): (about: { orderId: string; endpoint: string; incident: string | null; stance: Stance }) => string {
  let last = 0;
  return (about) => {
    const at = now();
    last = Math.max(at.getTime(), last + 1);
    const order: StanceOrder = { ...about, revision: last, issuer: signer.name, issuedAt: at.toISOString() };
    return signCompactJws(order, STANCE_TYPE, signer);
  };
}

interface SignedOrder {
  readonly order: StanceOrder;
  /** A key that may do both is a responder. */
  readonly authority: 'respond' | 'deploy';
}

/** Reads an order that any trusted key signed; null where it does not verify. */
export function readOrder(token: string, keys: readonly TrustedKey[]): SignedOrder | null {
  const responders = verificationKeysFor(keys, 'stance:respond');
  const deployers = verificationKeysFor(keys, 'stance:deploy').filter(
    ({ kid }) => !responders.some((responder) => responder.kid === kid),
  );
  try {
    const { payload, kid } = verifyCompactJws(token, {
      typ: STANCE_TYPE,
      keys: [...responders, ...deployers],
      check: checkNatively,
    });
    const parsed = stanceOrderSchema.safeParse(payload);
    const authority = responders.some((key) => key.kid === kid) ? 'respond' : 'deploy';
    return parsed.success ? { order: parsed.data, authority } : null;
  } catch {
    return null;
  }
}

/**
 * Does the published order stand against this one? A newer one does. But a stolen deployment key MUST NOT be able to keep a containment from
 * being published by revisions of the future, so what a deployer published never stands against a responder's containment (gateways judge
 * alike, `judgeOrder`).
 */
function stands(held: SignedOrder, next: SignedOrder): boolean {
  if (held.order.endpoint !== next.order.endpoint || held.order.revision < next.order.revision) return false;
  const contains = next.order.incident !== null && isContained(next.order.stance);
  return !(held.authority === 'deploy' && next.authority === 'respond' && contains);
}

const MAX_CONFLICTS = 10;

/** Publishes an order as the desired stance, unless a newer one is published. Returns the revision that holds. A document that does not verify is replaced. */
export async function publishOrder(
  store: Store,
  keys: readonly TrustedKey[],
  token: string,
): Promise<{ revision: number }> {
  const next = readOrder(token, keys);
  if (!next) throw new TypeError('an order that this station did not sign cannot be published');
  const { order } = next;
  const key = DOCUMENTS.stance(order.endpoint);
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
    const present = await store.readDocument(key);
    const held = present && readOrder(new TextDecoder().decode(present.bytes), keys);
    if (held && stands(held, next)) return { revision: held.order.revision };
    if (await store.writeDocument(key, new TextEncoder().encode(token), 'application/jose', present?.etag ?? null))
      return { revision: order.revision };
  }
  throw new Error(`the desired stance of ${order.endpoint} changed ${MAX_CONFLICTS} times while it was being written`);
}
