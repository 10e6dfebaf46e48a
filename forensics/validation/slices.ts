import type { GateResult } from '../../domain/contracts/plan.ts';
import { newcombePaired, wilson } from '../statistics/interval.ts';
import { rightAnswers, type OnHoldout } from './accuracy.ts';
import type { Grouped } from './fairness.ts';
import { atMost, MISSING, pp, unmeasured, span } from './gate.ts';
import { unfit } from './grouping.ts';

/** Accuracy on the slice that lost most, of all slices and protected groups that were declared. */
export function sliceGate(
  { candidate, golden, labels, thresholds }: OnHoldout,
  declared: readonly Grouped[],
): GateResult {
  const about = {
    id: 'worst-slice',
    title: 'Accuracy of the worst slice',
    threshold: `no slice more than ${thresholds.maxSliceDropPp} percentage points below the golden model`,
  };
  if (!candidate || !golden) return unmeasured(about, MISSING);
  for (const { grouping, groups } of declared) {
    const unfitness = unfit(groups, grouping);
    if (unfitness !== null) return unmeasured(about, unfitness);
  }
  const slices = declared.flatMap(({ groups }) =>
    (groups ?? []).map(({ name, rows }) => {
      const pairs = rightAnswers(golden.predicted, candidate.predicted, labels, rows);
      return { name, pairs, drop: newcombePaired(pairs), n: rows.length };
    }),
  );
  const limit = thresholds.maxSliceDropPp / 100;
  // A large slice that surely lost too much comes before a small one that seems to have lost more.
  const worst = slices.sort(
    (a, b) => Number(b.drop.low > limit) - Number(a.drop.low > limit) || b.drop.value - a.drop.value,
  )[0];
  if (!worst) return unmeasured(about, 'No slice was declared.');
  const { both, first, second } = worst.pairs;
  return atMost(
    about,
    { figure: worst.drop, limit },
    { figure: wilson(both + second, worst.n), golden: wilson(both + first, worst.n) },
    `Of ${slices.length} slices, ${worst.name} changes most: the drop is ${pp(worst.drop.value)} (${span(worst.drop)}, ${worst.n} records).`,
  );
}
