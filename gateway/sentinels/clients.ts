import { nearest, NEIGHBOURS, SKETCH_WIDTH } from '../../domain/profile/sketch.ts';

/** Clients that have asked little, and those that have asked more. Together they bound the memory: 4 KiB of questions each. */
const NEWCOMERS = 256;
const ESTABLISHED = 512;
/** With this many questions a newcomer is established. */
const YOUNG = 20;
/** The place in which all newcomers are taken together. */
export const POOL = 0;
export const PLACES = 1 + NEWCOMERS + ESTABLISHED;
export const POOL_NAME = '(newcomers together)';

/** One place that a question counts for: the client's own, and that of the newcomers together while he is one. */
export interface Asked {
  readonly place: number;
  readonly name: string;
  /** Questions of this place before, and the squared distance to the nearest of the last 32 of them that was not the same. */
  readonly before: number;
  readonly distance: number;
}

/**
 * The clients of an endpoint and their last questions, as sketches. Whoever comes under a new name for every question is seen in the newcomers' pool,
 * and cannot push out those who are established; names that are long gone give their place to new ones (least recently used).
 */
export interface Clients {
  note(client: string, sketch: Float32Array): readonly Asked[];
  /** Called with every place whose owner changes: what was known of the old one MUST NOT be held against the new. */
  onChange(forget: (place: number) => void): void;
  /** Names that lost their place so far. */
  forgotten(): number;
  known(): number;
}

export function createClients(): Clients {
  const newcomers = new Map<string, number>();
  const established = new Map<string, number>();
  const free = Array.from({ length: PLACES - 1 }, (_, at) => PLACES - 1 - at);
  const questions = new Float32Array(PLACES * NEIGHBOURS * SKETCH_WIDTH);
  const asked = new Float64Array(PLACES);
  const listeners: ((place: number) => void)[] = [];
  let forgotten = 0;

  function vacate(of: Map<string, number>): void {
    for (const [name, place] of of) {
      of.delete(name);
      asked[place] = 0;
      free.push(place);
      forgotten++;
      for (const forget of listeners) forget(place);
      return;
    }
  }

  function placeOf(client: string): number {
    const old = established.get(client);
    if (old !== undefined) {
      established.delete(client);
      established.set(client, old);
      return old;
    }
    let place = newcomers.get(client);
    if (place === undefined) {
      if (newcomers.size >= NEWCOMERS) vacate(newcomers);
      place = free.pop() ?? POOL;
    }
    newcomers.delete(client);
    if ((asked[place] ?? 0) < YOUNG) newcomers.set(client, place);
    else {
      if (established.size >= ESTABLISHED) vacate(established);
      established.set(client, place);
    }
    return place;
  }

  function ask(place: number, name: string, sketch: Float32Array): Asked {
    const before = asked[place] ?? 0;
    const base = place * NEIGHBOURS * SKETCH_WIDTH;
    const own = questions.subarray(base, base + NEIGHBOURS * SKETCH_WIDTH);
    const distance = nearest(sketch, own, Math.min(before, NEIGHBOURS), 'copies');
    own.set(sketch, (before % NEIGHBOURS) * SKETCH_WIDTH);
    asked[place] = before + 1;
    return { place, name, before, distance };
  }

  return {
    note(client, sketch) {
      const place = placeOf(client);
      const mine = ask(place, client, sketch);
      return mine.before < YOUNG ? [mine, ask(POOL, POOL_NAME, sketch)] : [mine];
    },
    onChange: (forget) => void listeners.push(forget),
    forgotten: () => forgotten,
    known: () => newcomers.size + established.size,
  };
}
