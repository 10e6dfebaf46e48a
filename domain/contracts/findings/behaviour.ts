/** What the suspect says beside the golden model. */

import type { Interval } from '../interval.ts';
import type { ObjectRef } from '../object-ref.ts';

export interface BehaviourDetail {
  readonly analyser: 'behaviour';
  readonly requests: number;
  readonly agreement: Interval;
  readonly probeAgreement: Interval;
  readonly confidenceSuspect: number;
  readonly confidenceGolden: number;
  /** Counts [golden class][suspect class] over the captured requests. */
  readonly flow: readonly (readonly number[])[];
  readonly classes: readonly string[];
  /** The captured attack: requests on which the suspect leaves the golden answer for one class far more often than the rest. */
  readonly attack: { targetClass: number; requests: ObjectRef; count: number; pValue: number } | null;
  /** On clean records that were moved at random. Informs; decides nothing, like the two below. */
  readonly perturbed?: PerturbedAgreement | null;
  /** On labelled clean records. */
  readonly sureness?: SurenessShift | null;
  readonly classesApart?: readonly ClassApart[];
}

/** Agreement of two models, asked until it was clear; the interval holds however early the asking ended (95 %). */
export interface PerturbedAgreement {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** How far each feature was moved at most, as a share of its range. */
  readonly noise: number;
  /** `apart`: less than on the records as they are; `narrow`: the interval was narrow enough, or enough was asked. */
  readonly stopped: 'apart' | 'narrow';
}

/** Top scores and expected calibration errors; null where scores are no numbers. */
export interface SurenessShift {
  /** Mean difference of the suspect's top score and the golden model's, record by record. */
  readonly shift: Interval | null;
  readonly eceSuspect: Interval | null;
  readonly eceGolden: Interval | null;
}

/** How often the two models agree on clean records of one class. */
export interface ClassApart {
  readonly label: number;
  readonly agreement: Interval;
  /** That they part there more than on the other classes by chance; corrected over the classes. */
  readonly pValue: number;
}
