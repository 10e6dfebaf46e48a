import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { GatewayLog } from '../ports.ts';
import type { Watch } from './watch.ts';

/** The profile of a family's latest golden model, its record verified; null where none is registered. */
export type GoldenProfileOf = (family: string) => Promise<ObjectRef | null>;

const POLL_MS = 10_000;

/** Looks after a while again whether a family has another golden model, and tells its endpoints. A registry that is away changes nothing. */
export function followGolden(deps: {
  readonly families: ReadonlyMap<string, string>;
  readonly profileOf: GoldenProfileOf;
  readonly watches: (endpoint: string) => Watch | null;
  readonly log: GatewayLog;
  readonly pollMs?: number;
}): { stop(): void } {
  const { families, log } = deps;
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;

  async function look(family: string): Promise<void> {
    try {
      const profile = await deps.profileOf(family);
      if (stopped) return;
      for (const [endpoint, own] of families) if (own === family) deps.watches(endpoint)?.compareWith(profile);
    } catch (error) {
      log.warn(
        { family, reason: error instanceof Error ? error.message : String(error) },
        'no golden profile can be had',
      );
    }
  }

  async function round(): Promise<void> {
    await Promise.all([...new Set(families.values())].map(look));
    if (stopped) return;
    timer = setTimeout(() => void round(), deps.pollMs ?? POLL_MS);
    timer.unref();
  }

  void round();
  return {
    stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
    },
  };
}
