import type { z } from 'zod';
import type { Observed } from '../inference/probe.ts';
import type { EndpointStatus } from '../../domain/contracts/gateway.ts';
import type { Stance, StanceKind } from '../../domain/contracts/stance.ts';

export type Json = z.core.util.JSONType;

/** One look at what a platform has for the endpoint. */
export interface Look<State extends Json = Json> {
  /** What an order may change: nothing else of the platform is ever written. */
  readonly state: State;
  /** One sentence for people about `state`. */
  readonly words: string;
  /** Everything else the API tells, for evidence. */
  readonly captured: Json;
  /** What the platform can say of the status; the rest is in `cannotTell`. */
  readonly told: Partial<Pick<EndpointStatus, 'replica' | 'since' | 'counters'>>;
  /** The record that lies beside the endpoint, as text; null for none; undefined where it cannot be read just now. */
  readonly record: string | null | undefined;
  /** What a conditional write names: a resource version, an etag. */
  readonly mark: string | null;
}

/**
 * A platform that serves models, in its own terms. What it is asked is small, so that orders, captures and idempotency are the same everywhere
 * (`createPlatformAdapter`). All fail with `endpoint/unreachable` or `endpoint/refused`.
 */
export interface Platform<State extends Json = Json> {
  readonly name: string;
  /** What a capture holds, in words. */
  readonly captures: readonly string[];
  readonly stances: readonly StanceKind[];
  look(): Promise<Look<State>>;
  /** The state that the stance means here. Pure. Fails with `endpoint/refused` where it cannot be had, saying why. */
  towards(stance: Stance, now: State): State;
  /**
   * Writes `next` and `record` where the endpoint is still what `look` saw, changing nothing else. 'conflict': somebody else changed it meanwhile.
   * A platform of several writes MUST end in `next` when it is called again.
   */
  change(look: Look<State>, next: State, record: string): Promise<'done' | 'conflict'>;
  /** How the endpoint's own front door behaves. */
  probe(): Promise<Observed>;
}
