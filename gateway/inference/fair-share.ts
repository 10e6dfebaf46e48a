import { InferenceProblem } from './problem.ts';

/** Requests of one endpoint that are being answered, and whose they are. */
export interface FairShare {
  /** Throws an InferenceProblem where this client has its share already, or all places are taken; else gives the place back by the function. */
  enter(client: string, address: string): () => void;
}

/** Where fewer are under way than this share of the places, nobody is asked whose request it is. */
const CALM = 0.5;
/** Of the places that one address may take: a client can make up names, and an address is harder to come by. */
const MOST_OF_ADDRESS = 0.75;
const RETRY_AFTER_S = 1;

/**
 * `places` requests at once. While it is calm everybody gets a place; beyond that, a client may hold as many as all clients that are there, and
 * one more, would get if they shared equally. So one that floods waits for itself. Where those who came first hold all places, the next ones to
 * become free go to others.
 */
export function createFairShare(places: number): FairShare {
  const clients = new Map<string, number>();
  const addresses = new Map<string, number>();
  let taken = 0;
  const add = (counts: Map<string, number>, key: string, by: 1 | -1): void => {
    const count = (counts.get(key) ?? 0) + by;
    if (count > 0) counts.set(key, count);
    else counts.delete(key);
  };

  return {
    enter(client, address) {
      if (taken >= places) throw full('Too many requests are under way.');
      if (taken >= CALM * places) {
        const held = clients.get(client) ?? 0;
        // One part is for the client that comes next.
        const share = Math.max(1, Math.floor(places / (clients.size + (held === 0 ? 2 : 1))));
        if (held >= share) throw full(`This client has ${held} requests under way, which is its share.`);
        const ofAddress = addresses.get(address) ?? 0;
        if (addresses.size > 1 && ofAddress >= MOST_OF_ADDRESS * places)
          throw full(`This address has ${ofAddress} requests under way, which is its share.`);
      }
      taken += 1;
      add(clients, client, 1);
      add(addresses, address, 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        taken -= 1;
        add(clients, client, -1);
        add(addresses, address, -1);
      };
    },
  };
}

function full(reason: string): InferenceProblem {
  return new InferenceProblem('overloaded', reason, { retryAfter: RETRY_AFTER_S });
}
