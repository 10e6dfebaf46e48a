/** What the analysers of the captured requests found. */

import type { Interval } from '../interval.ts';
import type { ObjectRef } from '../object-ref.ts';

/** Captured requests that carry a trigger. Informs; refuses nothing. */
export interface RequestsDetail {
  readonly analyser: 'requests';
  readonly captured: number;
  readonly examined: number;
  /** Flagged by a method that flags more than chance gives. */
  readonly count: number;
  readonly answeredAs: readonly { label: number; count: number }[];
  readonly methods: readonly {
    /** `superposition`: mean entropy in nats, flagged below; `trigger`: fall of the target's probability, flagged above. */
    method: 'superposition' | 'trigger';
    threshold: number;
    flagged: number;
    /** The clean records that set the threshold. */
    clean: { flagged: number; n: number };
    /** Exact, against those, after Holm over the methods. */
    pValue: number;
  }[];
  readonly falseAlarmBudget: number;
  /** JSON array of {id, answered, methods}. */
  readonly list: ObjectRef | null;
  readonly classes: readonly string[];
}

/** What clients could rebuild from what they were answered in the captured window. Informs; accuses nobody. */
export interface ExtractionDetail {
  readonly analyser: 'extraction';
  /** Answered records of all clients. */
  readonly requests: number;
  readonly clients: number;
  readonly busiest: readonly {
    client: string;
    queries: number;
    share: number;
    /** Classes that its answers named. */
    classes: number;
    /** Share of clean records on which a copy trained on its answers agrees with the model; null where there are too few answers. */
    fidelity: Interval | null;
  }[];
  /** Clean records that the copies were measured on. */
  readonly holdout: number;
  readonly classes: readonly string[];
}
