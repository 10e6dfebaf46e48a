import type { ClassApart, SurenessShift } from '../../domain/contracts/finding.ts';
import type { Interval } from '../../domain/contracts/interval.ts';
import { bootstrap, bootstrapMean, createRandom } from '../statistics/bootstrap.ts';
import { calibrationError, surenessOf } from '../statistics/calibration.ts';
import { fisherGreater, holm } from '../statistics/exact-tests.ts';
import { wilson } from '../statistics/interval.ts';

/** Answers to the same clean records; scores row-major [labels.length × classes]. */
export interface OnClean {
  readonly suspect: Float32Array;
  readonly golden: Float32Array;
  readonly labels: ArrayLike<number>;
}

const SEED = 0;

/** How much surer the suspect is than the golden model, record by record, and how well each knows when it is wrong. */
export function surenessShift({ suspect, golden, labels }: OnClean): SurenessShift {
  const [own, reference] = [surenessOf(suspect, labels), surenessOf(golden, labels)];
  const error = (sureness: typeof own) =>
    measured(bootstrap(labels.length, (rows) => calibrationError(sureness, rows), createRandom(SEED)));
  return {
    shift: measured(
      bootstrapMean(
        own.confidence.map((value, row) => value - (reference.confidence[row] ?? 0)),
        createRandom(SEED),
      ),
    ),
    eceSuspect: error(own),
    eceGolden: error(reference),
  };
}

const measured = (interval: Interval): Interval | null => (Number.isNaN(interval.value) ? null : interval);

/**
 * Agreement class by class, the least first. The p-value asks whether the two part there more than on all other clean records: Fisher's exact
 * test, Holm over the classes.
 */
export function classesApart(
  predicted: { readonly suspect: ArrayLike<number>; readonly golden: ArrayLike<number> },
  labels: ArrayLike<number>,
  classes: number,
): readonly ClassApart[] {
  const n = new Array<number>(classes).fill(0);
  const differ = new Array<number>(classes).fill(0);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] ?? -1;
    if (label < 0 || label >= classes) continue;
    n[label] = (n[label] ?? 0) + 1;
    if (predicted.suspect[row] !== predicted.golden[row]) differ[label] = (differ[label] ?? 0) + 1;
  }
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const [all, apart] = [sum(n), sum(differ)];
  const raw = n.map((count, label) => {
    const own = { marked: differ[label] ?? 0, n: count };
    return fisherGreater(own, { marked: apart - own.marked, n: all - count });
  });
  const adjusted = holm(raw);
  return n
    .map((count, label) => ({
      label,
      agreement: wilson(count - (differ[label] ?? 0), count),
      pValue: adjusted[label] ?? 1,
    }))
    .filter(({ agreement }) => agreement.n > 0)
    .sort((a, b) => a.agreement.value - b.agreement.value || a.label - b.label);
}
