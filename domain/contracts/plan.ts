import type { Digest } from '../proofs/digest.ts';
import type { DatasetRef } from './dataset.ts';
import type { Interval } from './interval.ts';
import type { ObjectRef } from './object-ref.ts';
import type { ModelRef } from './stance.ts';
import type { Hyperparameters, TrainBudget } from './trainer.ts';

/**
 * What will be done about it. The digest of the plan's canonical JSON is what the plan gate approves.
 * `retrain`: drop records, retrain from the checkpoint. `restore`: put the golden model back. `resume`: it was a false alarm.
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
  | {
      readonly action: 'retrain';
      readonly dataset: DatasetRef;
      readonly drop: { list: ObjectRef; count: number };
      readonly objective: 'standard';
      readonly hyperparameters: Hyperparameters;
      readonly budget: TrainBudget;
      readonly queue: string;
    }
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
