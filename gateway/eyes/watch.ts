import { profileSchema } from '../../domain/contracts/golden.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import type { GatewayLog, ModelSource } from '../ports.ts';
import type { SentinelEvent } from '../sentinels/event.ts';
import type { State } from '../sentinels/sentinel.ts';
import { createSentinels, type Sentinels } from '../sentinels/sentinels.ts';
import { sha256Of } from '../state/state-folder.ts';
import type { EndpointAlarm } from './alarm-post.ts';

/**
 * The eyes of one endpoint: which profile its live answers are compared with, and what the sentinels make of them. The profile comes from the
 * golden registry, whose key signs it, and not from whoever deploys: a stolen deployment key MUST NOT be able to close the eyes.
 */
export interface Watch {
  /** The model that answers and is to be watched; null where none is. */
  follow(model: Digest | null): void;
  /** The profile of the family's golden model; null where there is none. */
  compareWith(profile: ObjectRef | null): void;
  /** Whether answers of this model are wanted. */
  watches(model: Digest): boolean;
  /** After the answer has gone out. Does not throw. */
  observe(event: SentinelEvent): void;
  /** By sentinel; null where nobody watches. */
  state(): Readonly<Record<string, State>> | null;
}

/** A profile that cannot be read is tried again. */
const RETRY_MS = 5_000;

export function createWatch(deps: {
  readonly endpoint: string;
  readonly source: ModelSource;
  readonly raise: (alarm: EndpointAlarm) => void;
  readonly log: GatewayLog;
}): Watch {
  const { endpoint, log } = deps;
  let model: Digest | null = null;
  let reference: ObjectRef | null = null;
  let wanted: { readonly profile: ObjectRef; readonly model: Digest } | null = null;
  let present: { readonly profile: Digest; readonly model: Digest; readonly sentinels: Sentinels } | null = null;

  async function load(target: NonNullable<typeof wanted>): Promise<void> {
    try {
      const bytes = await deps.source.read(target.profile);
      if (sha256Of(bytes) !== target.profile.digest)
        throw new Error('the profile does not have the digest that the order names');
      const profile = profileSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
      if (wanted !== target) return;
      present = { profile: target.profile.digest, model: target.model, sentinels: createSentinels(profile) };
      log.info({ endpoint, model: target.model }, 'the sentinels watch');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ endpoint, reason }, 'the sentinels have no profile yet');
      setTimeout(() => {
        if (wanted === target) void load(target);
      }, RETRY_MS).unref();
    }
  }

  /** The same model beside the same profile goes on where it was: what the sentinels have gathered stays. */
  function choose(): void {
    if (reference === null || model === null) {
      wanted = present = null;
      return;
    }
    if (wanted?.profile.digest === reference.digest && wanted.model === model) return;
    wanted = { profile: reference, model };
    present = null;
    void load(wanted);
  }

  return {
    follow(next) {
      model = next;
      choose();
    },
    compareWith(next) {
      reference = next;
      choose();
    },
    watches: (model) => present?.model === model,
    observe(event) {
      const of = present;
      if (!of) return;
      try {
        for (const { sentinel, kind, statement, at, client, evidence, threshold, figures } of of.sentinels.observe(
          event,
        ))
          deps.raise({
            endpoint,
            sentinel,
            kind,
            statement,
            at: new Date(at),
            labels: {
              sentinel,
              model: of.model,
              ...(client === null ? {} : { client }),
              evidence: evidence.toFixed(2),
              threshold: threshold.toFixed(2),
              ...Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, String(value)])),
            },
          });
      } catch (error) {
        // A defect of a sentinel MUST NOT touch an answer.
        log.error({ endpoint, err: error }, 'a sentinel failed');
      }
    },
    state: () => present?.sentinels.state() ?? null,
  };
}
