import type { IncidentKind } from '../../domain/incident/kinds.ts';
import type { SentinelEvent } from './event.ts';
import type { Reading } from './reading.ts';

/** What a sentinel says when it has seen enough. */
export interface Alarm {
  readonly sentinel: string;
  readonly kind: IncidentKind;
  /** Milliseconds since the epoch, of the request that gave the alarm. */
  readonly at: number;
  /** One sentence for people: what is not as it was. */
  readonly statement: string;
  /** ln of the e-value, and what it had to reach within the false-alarm budget. */
  readonly evidence: number;
  readonly threshold: number;
  /** Whose requests it is about; null where it is the endpoint's traffic as a whole. */
  readonly client: string | null;
  readonly figures: Readonly<Record<string, number>>;
}

/** What one sentinel found, before its name and kind are added. */
export type Finding = Omit<Alarm, 'sentinel' | 'kind' | 'at'>;

export type State = Readonly<Record<string, number | string | null>>;

/**
 * One question asked of every request. It holds a bounded memory, asks nobody, and owns its share of the budget: under the profile's law its
 * alarms come at most once in `budget` requests in the mean. After an alarm its evidence begins anew.
 */
export interface Sentinel {
  readonly name: string;
  readonly kind: IncidentKind;
  /** `reading` is null where the model did not answer. */
  observe(event: SentinelEvent, reading: Reading | null): Finding | null;
  /** Figures of now, for metrics. */
  state(): State;
}
