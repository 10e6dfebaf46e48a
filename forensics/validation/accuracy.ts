import type { Evaluation } from '../../domain/contracts/golden.ts';
import type { GateResult } from '../../domain/contracts/plan.ts';
import type { Thresholds } from '../../domain/incident/thresholds.ts';
import type { Sureness } from '../statistics/calibration.ts';
import { newcombe, newcombePaired, wilson, type Pairs } from '../statistics/interval.ts';
import { MISSING, pp, ROUNDING, unmeasured, span } from './gate.ts';

/** A model's figures on the hold-out, with its answer to every record of it. */
export interface Measured {
  readonly evaluation: Evaluation;
  readonly predicted: ArrayLike<number>;
  readonly sureness: Sureness;
}

/** Both models on the hold-out; null where one could not be run. */
export interface OnHoldout {
  readonly candidate: Measured | null;
  readonly golden: Measured | null;
  /** Labels of the hold-out, in the order of the answers. */
  readonly labels: ArrayLike<number>;
  readonly thresholds: Thresholds;
}

/** Who is right on the same records: `first` only the golden model, `second` only the candidate. Over `rows`, or over all. */
export function rightAnswers(
  golden: ArrayLike<number>,
  candidate: ArrayLike<number>,
  labels: ArrayLike<number>,
  rows?: readonly number[],
): Pairs {
  const pairs = { both: 0, first: 0, second: 0, neither: 0 };
  const count = rows?.length ?? labels.length;
  for (let index = 0; index < count; index++) {
    const row = rows ? (rows[index] ?? 0) : index;
    const first = golden[row] === labels[row];
    const second = candidate[row] === labels[row];
    pairs[first ? (second ? 'both' : 'first') : second ? 'second' : 'neither']++;
  }
  return pairs;
}

/** Drop on the same records, so the pairs count: both models' mistakes on hard records cancel. */
export function accuracyGate({ candidate, golden, labels, thresholds }: OnHoldout): GateResult {
  const about = {
    id: 'accuracy',
    title: 'Accuracy on the hold-out',
    threshold: `at most ${thresholds.maxAccuracyDropPp} percentage points below the golden model`,
  };
  if (!candidate || !golden || labels.length === 0) return unmeasured(about, MISSING);
  const drop = newcombePaired(rightAnswers(golden.predicted, candidate.predicted, labels));
  return {
    ...about,
    verdict: drop.value * 100 <= thresholds.maxAccuracyDropPp + ROUNDING ? 'pass' : 'fail',
    figure: candidate.evaluation.accuracy,
    golden: golden.evaluation.accuracy,
    reason: `The drop is ${pp(drop.value)} (${span(drop)}, paired, ${drop.n} records).`,
  };
}

export function recallGate({ candidate, golden, thresholds }: OnHoldout): GateResult {
  const about = {
    id: 'class-recall',
    title: 'Recall of the worst class',
    threshold: `no class more than ${thresholds.maxClassRecallDropPp} percentage points below the golden model`,
  };
  if (!candidate || !golden) return unmeasured(about, MISSING);
  const drops = candidate.evaluation.perClass.flatMap((own) => {
    const reference = golden.evaluation.perClass.find((entry) => entry.class === own.class);
    if (!reference || own.recall.n === 0) return [];
    const counts = ({ value, n }: { value: number; n: number }) => ({ successes: Math.round(value * n), n });
    return [{ class: own.class, own, reference, drop: newcombe(counts(reference.recall), counts(own.recall)) }];
  });
  const worst = drops.sort((a, b) => b.drop.value - a.drop.value)[0];
  if (!worst) return unmeasured(about, 'No class has records in the hold-out.');
  return {
    ...about,
    verdict: worst.drop.value * 100 <= thresholds.maxClassRecallDropPp + ROUNDING ? 'pass' : 'fail',
    figure: worst.own.recall,
    golden: worst.reference.recall,
    reason: `Class ${worst.class} changes most: the drop is ${pp(worst.drop.value)} (${span(worst.drop)}).`,
  };
}

export function agreementGate({ candidate, golden, thresholds }: OnHoldout): GateResult {
  const errors = 1 - (golden?.evaluation.accuracy.value ?? 0);
  const least = Math.max(0, 1 - 2 * errors - thresholds.maxAccuracyDropPp / 100);
  const about = {
    id: 'agreement',
    title: 'Agreement with the golden model on the hold-out',
    threshold: `at least ${(least * 100).toFixed(1)} %: two models differ only where one of them errs`,
  };
  if (!candidate || !golden || golden.predicted.length === 0) return unmeasured(about, MISSING);
  const n = golden.predicted.length;
  let agreed = 0;
  for (let row = 0; row < n; row++) if (golden.predicted[row] === candidate.predicted[row]) agreed++;
  const figure = wilson(agreed, n);
  return {
    ...about,
    verdict: figure.value >= least - ROUNDING ? 'pass' : 'fail',
    figure,
    golden: 1,
    reason: `They agree on ${agreed} of ${n} records.`,
  };
}
