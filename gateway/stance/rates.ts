import type { Rate } from '../../domain/contracts/stance.ts';

/** Token buckets, one for each name. */
export interface Rates {
  /** Takes a token of this name; 0, or the milliseconds until there will be one. */
  take(name: string, nowMs: number): number;
}

/** Names that are remembered. Whoever makes up more of them shares one bucket with the rest. */
const MAX_NAMES = 20_000;
const MINUTE_MS = 60_000;

/** The generic cell rate algorithm (ITU-T I.371): for each name the time at which its bucket is full again. */
export function createRates({ perMinute, burst }: Rate, maxNames: number = MAX_NAMES): Rates {
  const interval = MINUTE_MS / perMinute;
  const depth = interval * burst;
  const full = new Map<string, number>();
  return {
    take(name, nowMs) {
      const key = full.has(name) || full.size < maxNames || forget(nowMs) ? name : '';
      const next = Math.max(full.get(key) ?? nowMs, nowMs) + interval;
      const wait = next - depth - nowMs;
      if (wait > 0) return wait;
      full.set(key, next);
      return 0;
    },
  };

  /** Names whose buckets are full are as good as new ones. True where one was found. */
  function forget(nowMs: number): boolean {
    const before = full.size;
    for (const [name, at] of full) if (at <= nowMs) full.delete(name);
    return full.size < before;
  }
}
