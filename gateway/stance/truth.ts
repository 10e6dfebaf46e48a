import { Failure } from '../../domain/incident/failure.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { ModelRefused } from '../model/loader.ts';
import type { DesiredStances, GatewayLog } from '../ports.ts';
import type { Endpoint } from './endpoint.ts';
import { OrderRefused } from '../../evidence/orders/stance-order.ts';

/**
 * Orders are pushed for speed; the published stance is polled for truth, so that a replica that was away when an order was pushed obeys it
 * all the same.
 */
export interface TruthFollower {
  /** Resolves when every endpoint knows what it has to do, as far as it can be known now. */
  start(): Promise<void>;
  stop(): void;
}

/** A restart waits this long for the published stance before it goes by what it remembered: the endpoint may have been contained meanwhile. */
const FIRST_READ_TIMEOUT_MS = 3_000;

export function createTruthFollower(deps: {
  readonly endpoints: readonly Endpoint[];
  readonly desired: DesiredStances;
  readonly pollMs: number;
  readonly metrics: GatewayMetrics;
  readonly log: GatewayLog;
}): TruthFollower {
  const { desired, metrics, log } = deps;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;

  interface Follower {
    readonly endpoint: Endpoint;
    /** `undefined`: nothing is published for it. */
    see(mark: string | undefined): Promise<void>;
    unreachable(error: unknown): Promise<void>;
  }

  function follow(endpoint: Endpoint): Follower {
    /** The order that was dealt with last; looked at again only where trying again can help. */
    let seen: string | null = null;
    let reachable = true;

    async function see(mark: string | undefined): Promise<void> {
      if (mark !== undefined && mark === seen) {
        answered();
        return await endpoint.trust('held');
      }
      // Before the reading, so that the next round leaves it alone while a model is being loaded.
      seen = mark ?? null;
      let token: string | null;
      try {
        token = mark === undefined ? null : await desired.read(endpoint.name);
      } catch (error) {
        seen = null;
        return await unreachable(error);
      }
      answered();
      if (token === null) return await endpoint.trust('nothing-ordered');
      if (!(await obey(token))) seen = null;
      await endpoint.trust('held');
    }

    function answered(): void {
      if (!reachable) log.info({ endpoint: endpoint.name }, 'the published stance can be read again');
      reachable = true;
    }

    async function unreachable(error: unknown): Promise<void> {
      metrics.truthUnreachable(endpoint.name);
      if (reachable)
        log.warn({ endpoint: endpoint.name, reason: textOf(error) }, 'the published stance cannot be read');
      reachable = false;
      await endpoint.trust('unreachable');
    }

    /** False where it may be obeyed later. */
    async function obey(token: string): Promise<boolean> {
      // The published order is the truth, so the endpoint may obey it although it knows of nothing yet.
      try {
        await endpoint.obey(token, 'published');
        return true;
      } catch (error) {
        if (error instanceof OrderRefused && error.reason === 'not-newer') return true;
        if (error instanceof OrderRefused) metrics.orderRefused(endpoint.name, error.reason);
        const retryable = error instanceof Failure && error.retryable;
        log[retryable ? 'warn' : 'error'](
          { endpoint: endpoint.name, reason: textOf(error) },
          'the published stance is not obeyed',
        );
        return error instanceof OrderRefused || error instanceof ModelRefused;
      }
    }
    return { endpoint, see, unreachable };
  }

  const followers = deps.endpoints.map(follow);

  /** One call tells what changed for all endpoints; what each then has to do is its own affair. */
  function round(): readonly Promise<void>[] {
    const marks = desired.marks();
    return followers.map(async (follower) => {
      let known: ReadonlyMap<string, string>;
      try {
        known = await marks;
      } catch (error) {
        return await follower.unreachable(error);
      }
      await follower.see(known.get(follower.endpoint.name));
    });
  }

  /** A round that takes long (a model is being loaded) MUST NOT keep the next one, which may see a containment, from being made. */
  function poll(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      for (const one of round())
        one.catch((error: unknown) => log.error({ reason: textOf(error) }, 'reading the published stance failed'));
      poll();
    }, deps.pollMs);
    timer.unref();
  }

  return {
    async start() {
      const first = round();
      await Promise.all(
        followers.map(async ({ endpoint }, index) => {
          const late = new Promise<'late'>((resolve) => {
            setTimeout(() => resolve('late'), FIRST_READ_TIMEOUT_MS).unref();
          });
          const read = first[index]?.then(() => 'read' as const);
          const outcome = await Promise.race([read, late]).catch(() => 'late' as const);
          if (outcome !== 'read') await endpoint.trust('unreachable');
        }),
      );
      poll();
    },
    stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
    },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
