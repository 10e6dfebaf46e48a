import { PLACES } from './clients.ts';
import { upperRate } from './limits.ts';

/** Requests after release in which the greatest share of a client is learnt, and then never again. */
const REFERENCE = 2000;
/** A client may always send this share of the requests: below it a burst is no more than a burst. */
const ALWAYS = 0.5;
/** An endpoint that has one great client has no single source to be surprised by. */
const SINGLE = 0.9;
const DOUBT = 1e-3;
const ODDS = 3;
/** One client among all places may be the one: each is a test of its own over the same requests. */
const LN_PLACES = Math.log(PLACES);

/** Whether one client sends a greater share of all requests than any did in the reference. Evidence of clients that are silent falls meanwhile. */
export interface Spike {
  step(place: number): number;
  clear(place: number): void;
  /** The share that is allowed; null while it is learnt. */
  limit(): number | null;
}

export function createSpike(): Spike {
  const counts = new Float64Array(PLACES);
  const ln = new Float64Array(PLACES);
  const last = new Float64Array(PLACES);
  let requests = 0;
  let most = 0;
  let limit: number | null = null;
  let [gain, loss] = [0, 0];
  return {
    step(place) {
      requests++;
      if (requests <= REFERENCE) {
        counts[place] = (counts[place] ?? 0) + 1;
        most = Math.max(most, counts[place] ?? 0);
        last[place] = requests;
        if (requests < REFERENCE) return 0;
        limit = Math.max(ALWAYS, upperRate(most, REFERENCE, DOUBT));
        const other = (ODDS * limit) / (1 + (ODDS - 1) * limit);
        if (limit < SINGLE) [gain, loss] = [Math.log(other / limit), Math.log((1 - other) / (1 - limit))];
        last.fill(requests);
        return 0;
      }
      const missed = requests - 1 - (last[place] ?? requests - 1);
      last[place] = requests;
      const now = Math.max(0, (ln[place] ?? 0) + missed * loss) + gain;
      ln[place] = now;
      return now - LN_PLACES;
    },
    clear(place) {
      counts[place] = 0;
      ln[place] = 0;
      last[place] = requests;
    },
    limit: () => limit,
  };
}
