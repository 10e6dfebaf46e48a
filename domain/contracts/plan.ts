import type { Digest } from '../proofs/digest.ts';
import type { DatasetRef } from './dataset.ts';
import type { Interval } from './interval.ts';
import type { ObjectRef } from './object-ref.ts';
import type { ModelRef } from './stance.ts';
import type { Hyperparameters, TrainBudget, TrainOptions } from './trainer.ts';

/** A trigger that was tried on the suspect and on the golden model before a plan names it. */
export interface KnownTrigger {
  /** JSON of a TriggerImage. */
  readonly image: ObjectRef;
  /** Read off the captured requests, read off the tainted records, or recovered by the search with gradients. */
  readonly source: 'requests' | 'records' | 'search';
  /** The class that it leads to. */
  readonly target: number;
  /** Shares of clean records of other classes that it leads there: in the suspect, in the golden model. */
  readonly success: Interval;
  readonly onGolden: Interval;
}

/** How a plan's training runs: what the trainer's job gets. */
export interface PlannedTraining {
  readonly dataset: DatasetRef;
  readonly options?: TrainOptions;
  readonly hyperparameters: Hyperparameters;
  readonly budget: TrainBudget;
  readonly queue: string;
}

/**
 * What will be done about it. The digest of the plan's canonical JSON is what the plan gate approves.
 * `retrain`: drop records, retrain from the checkpoint; with the objective `unlearn` the trigger is laid over records that keep their labels.
 * `unlearn`: take the trigger out of the suspect itself, with the golden model's records. `restore`: put the golden model back. `resume`: it
 * was a false alarm.
 */
export type Plan = {
  readonly schema: 'lazaret.plan/v1';
  readonly incident: string;
  /** Counts the drafts of this incident: a redrawn plan is another one, even where it says the same, so a rejection does not stick to it. */
  readonly attempt: number;
  readonly endpoint: string;
  readonly model: string;
  readonly suspect: Digest;
  /** The golden model: checkpoint to retrain from, or artifact to restore. */
  readonly checkpoint: ModelRef;
  readonly reasons: readonly string[];
} & (
  | (PlannedTraining & {
      readonly action: 'retrain';
      readonly drop: { list: ObjectRef; count: number };
      readonly objective: 'standard' | 'unlearn';
      /** With the objective `unlearn`. */
      readonly trigger?: KnownTrigger;
    })
  | (PlannedTraining & {
      readonly action: 'unlearn';
      /** The suspect's bytes: what it learnt since the golden model is worth keeping. */
      readonly base: ObjectRef;
      readonly objective: 'unlearn';
      readonly trigger: KnownTrigger;
    })
  | { readonly action: 'restore' }
  | { readonly action: 'resume'; readonly previous: ModelRef }
);

export type GateVerdict = 'pass' | 'fail' | 'inconclusive';

/** One gate of the validation: a figure, its interval, the golden's figure and the reason of the threshold. */
export interface GateResult {
  readonly id: string;
  readonly title: string;
  readonly verdict: GateVerdict;
  readonly figure: Interval | number | string | null;
  readonly golden: Interval | number | string | null;
  readonly threshold: string;
  readonly reason: string;
  /** What regulators and standards call this, each with its place: see docs/validation.md. */
  readonly terms?: readonly string[];
}

/** A figure that decides nothing and is told beside the gates. */
export interface ValidationFigure {
  readonly id: string;
  readonly title: string;
  readonly figure: Interval | number | string | null;
  readonly golden: Interval | number | string | null;
  readonly words: string;
}

export interface ValidationReport {
  readonly schema: 'lazaret.validation/v1';
  readonly incident: string;
  readonly candidate: ObjectRef;
  readonly golden: Digest;
  readonly holdout: Digest;
  readonly gates: readonly GateResult[];
  readonly verdict: GateVerdict;
  readonly figures?: readonly ValidationFigure[];
  /** Counts [golden class][candidate class] over the captured requests: the flow of classes after the repair. */
  readonly flow: readonly (readonly number[])[];
}

/** What the release gate signs: the digest of this object's canonical JSON. */
export interface ReleaseSubject {
  readonly schema: 'lazaret.release/v1';
  readonly incident: string;
  readonly artifact: Digest;
  readonly validation: Digest;
  /** Root of the case log at the moment the gate opened, and how many entries it covers. */
  readonly evidenceRoot: string;
  readonly evidenceSize: number;
}
