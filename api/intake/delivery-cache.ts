/** A sender repeats within minutes; later ones reach the workflow, which knows every delivery it has seen. */
const KEEP_MS = 15 * 60_000;
const MAX_DELIVERIES = 10_000;

export interface Delivered {
  /** Null for a resolved alert that no open incident took. */
  readonly incident: string | null;
  readonly duplicate: boolean;
}

/**
 * Remembers what became of recent deliveries, bounded in time and number. A delivery that fails is forgotten, so that its repetition is
 * not taken for a duplicate; one that arrives while the first is under way waits for it.
 */
export function createDeliveryCache(clock: () => Date) {
  const seen = new Map<string, { at: number; incident: Promise<string | null> }>();
  return async function once(key: string, raise: () => Promise<string | null>): Promise<Delivered> {
    const now = clock().getTime();
    for (const [oldest, { at }] of seen) {
      if (now - at < KEEP_MS && seen.size < MAX_DELIVERIES) break;
      seen.delete(oldest);
    }
    const known = seen.get(key);
    if (known) return { incident: await known.incident, duplicate: true };
    const incident = raise();
    seen.set(key, { at: now, incident });
    try {
      return { incident: await incident, duplicate: false };
    } catch (error) {
      seen.delete(key);
      throw error;
    }
  };
}
