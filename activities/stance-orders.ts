import { stanceOrderSchema, type Stance, type StanceOrder } from '../domain/contracts/stance.ts';
import { verifyCompactJws } from '../domain/proofs/jws.ts';
import { signCompactJws } from '../evidence/keys/signer.ts';
import { verificationKeysFor } from '../evidence/keys/trusted-keys.ts';
import { DOCUMENTS, type Signer, type Store, type TrustedKey } from '../evidence/ports.ts';

export const STANCE_TYPE = 'lazaret-stance+jws';

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

/** Reads an order that any trusted key signed; null where it does not verify. */
export function readOrder(token: string, keys: readonly TrustedKey[]): StanceOrder | null {
  const trusted = [...verificationKeysFor(keys, 'stance:respond'), ...verificationKeysFor(keys, 'stance:deploy')];
  try {
    const parsed = stanceOrderSchema.safeParse(verifyCompactJws(token, { typ: STANCE_TYPE, keys: trusted }).payload);
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

const MAX_CONFLICTS = 10;

/** Publishes an order as the desired stance, unless a newer one is published. Returns the revision that holds. A document that does not verify is replaced. */
export async function publishOrder(
  store: Store,
  keys: readonly TrustedKey[],
  token: string,
): Promise<{ revision: number }> {
  const order = readOrder(token, keys);
  if (!order) throw new TypeError('an order that this station did not sign cannot be published');
  const key = DOCUMENTS.stance(order.endpoint);
  for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
    const present = await store.readDocument(key);
    const held = present && readOrder(new TextDecoder().decode(present.bytes), keys);
    if (held && held.endpoint === order.endpoint && held.revision >= order.revision) return { revision: held.revision };
    if (await store.writeDocument(key, new TextEncoder().encode(token), 'application/jose', present?.etag ?? null))
      return { revision: order.revision };
  }
  throw new Error(`the desired stance of ${order.endpoint} changed ${MAX_CONFLICTS} times while it was being written`);
}
