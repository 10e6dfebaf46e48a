import { Failure } from '../../domain/incident/failure.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { ModelRefused } from '../model/loader.ts';
import type { DesiredStances, GatewayLog } from '../ports.ts';
import type { Endpoint } from './endpoint.ts';
import { OrderRefused } from './orders.ts';

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
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  function follow(endpoint: Endpoint): { read(): Promise<void> } {
    /** The order that was dealt with last; looked at again only where trying again can help. */
    let seen: string | null = null;
    let reachable = true;

    async function read(): Promise<void> {
      let token: string | null;
      try {
        token = await desired.read(endpoint.name);
      } catch (error) {
        metrics.truthUnreachable(endpoint.name);
        if (reachable)
          log.warn({ endpoint: endpoint.name, reason: textOf(error) }, 'the published stance cannot be read');
        reachable = false;
        return await endpoint.trust('unreachable');
      }
      if (!reachable) log.info({ endpoint: endpoint.name }, 'the published stance can be read again');
      reachable = true;
      if (token === null) return await endpoint.trust('nothing-ordered');
      if (token !== seen) {
        seen = token;
        await obey(token);
      }
      await endpoint.trust('held');
    }

    async function obey(token: string): Promise<void> {
      // The published order is the truth, so the endpoint may obey it although it knows of nothing yet.
      try {
        await endpoint.obey(token, 'published');
      } catch (error) {
        if (error instanceof OrderRefused && error.reason === 'not-newer') return;
        const final = error instanceof OrderRefused || error instanceof ModelRefused;
        if (!final) seen = null;
        if (error instanceof OrderRefused) metrics.orderRefused(endpoint.name, error.reason);
        const retryable = error instanceof Failure && error.retryable;
        log[retryable ? 'warn' : 'error'](
          { endpoint: endpoint.name, reason: textOf(error) },
          'the published stance is not obeyed',
        );
      }
    }
    return { read };
  }

  /** A reading that takes long (a model is being loaded) MUST NOT keep the next one, which may be a containment, from being seen. */
  function poll(read: () => Promise<void>, delayMs: number): void {
    if (stopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      read().catch((error: unknown) => log.error({ reason: textOf(error) }, 'reading the published stance failed'));
      poll(read, deps.pollMs);
    }, delayMs);
    timer.unref();
    timers.add(timer);
  }

  return {
    async start() {
      await Promise.all(
        deps.endpoints.map(async (endpoint, index) => {
          const { read } = follow(endpoint);
          const first = read();
          const late = new Promise<'late'>((resolve) => {
            setTimeout(() => resolve('late'), FIRST_READ_TIMEOUT_MS).unref();
          });
          const outcome = await Promise.race([first.then(() => 'read' as const), late]).catch(() => 'late' as const);
          if (outcome === 'late') await endpoint.trust('unreachable');
          // Spread over the interval: the readings of many endpoints at once would keep an order that is pushed meanwhile waiting.
          poll(read, (deps.pollMs * (index + 1)) / deps.endpoints.length);
        }),
      );
    },
    stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
