/** Thrown where so many wait that the sender had better come again later. */
export class TooManyWaiting extends Error {
  constructor() {
    super('more alerts wait to be taken than this process holds');
    this.name = 'TooManyWaiting';
  }
}

/**
 * Lets `atOnce` pieces of work run and the rest wait their turn, in the order they came. In a storm of alerts, Temporal takes a few calls at
 * a time quickly and hundreds at once not before their deadline.
 */
export function createTurns(atOnce: number, maxWaiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= atOnce) {
      if (waiting.length >= maxWaiting) throw new TooManyWaiting();
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      // The turn is handed on as it is: `running` changes only where nobody waits.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
