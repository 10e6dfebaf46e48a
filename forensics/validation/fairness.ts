import type { Fairness, Grouping } from '../../domain/contracts/gates.ts';
import type { Interval } from '../../domain/contracts/interval.ts';
import type { GateResult } from '../../domain/contracts/plan.ts';
import { bootstrap, createRandom } from '../statistics/bootstrap.ts';
import type { OnHoldout } from './accuracy.ts';
import { atLeast, atMost, MISSING, unmeasured, type About } from './gate.ts';
import { unfit, type Group } from './grouping.ts';

/** A declared grouping with the records of the hold-out that fall into its groups; null where it cannot be made. */
export interface Grouped {
  readonly grouping: Grouping;
  readonly groups: readonly Group[] | null;
}

export interface FairnessNeeds extends OnHoldout {
  readonly classes: readonly string[];
  readonly fairness: Pick<Fairness, 'favourable'> & { readonly attributes: readonly Grouped[] };
}

/** What a repair may take from fairness where the golden model itself is beyond the threshold. */
const ALLOWANCE = 0.05;
/** Records with and without the favourable label that a group must have for its error rates to be figures. */
const MIN_LABELLED = 10;
const SEED = 3;

/** For every protected attribute: the four-fifths rule and equalised odds, on the clean hold-out. */
export function fairnessGates(needs: FairnessNeeds): readonly GateResult[] {
  return needs.fairness.attributes.flatMap((attribute) => [
    selectionGate(needs, attribute),
    equalisedOddsGate(needs, attribute),
  ]);
}

/** Counts of one group: records, favoured ones, and both of those that deserve it by their label. */
interface Counts {
  all: number;
  favoured: number;
  deserving: number;
  rightly: number;
}

/**
 * Least rate of favourable answers among the groups over the largest (29 CFR 1607.4 D: less than four fifths is generally regarded as evidence
 * of adverse impact). NaN where a group is empty or nobody is favoured.
 */
export function selectionRatio(groups: readonly Counts[]): number {
  const rates = groups.map((group) => group.favoured / group.all);
  const most = Math.max(...rates);
  return most === 0 ? NaN : Math.min(...rates) / most;
}

/**
 * Largest difference between groups in the true or the false favourable rate: M. Hardt, E. Price, N. Srebro, NeurIPS 2016; 0 is equalised
 * odds. NaN where a group has no record of one kind.
 */
export function equalisedOddsDifference(groups: readonly Counts[]): number {
  const spread = (rates: readonly number[]) => Math.max(...rates) - Math.min(...rates);
  return Math.max(
    spread(groups.map((group) => group.rightly / group.deserving)),
    spread(groups.map((group) => (group.favoured - group.rightly) / (group.all - group.deserving))),
  );
}

function selectionGate(needs: FairnessNeeds, attribute: Grouped): GateResult {
  const least = needs.thresholds.minSelectionRatio;
  const figures = measured(needs, attribute, selectionRatio);
  const golden = typeof figures === 'string' ? NaN : figures.golden.value;
  const floor = golden >= least ? least : golden - ALLOWANCE;
  const about: About = {
    id: `fairness:${attribute.grouping.name}:selection`,
    title: `Ratio of favourable answers by ${attribute.grouping.name}`,
    threshold: `at least ${least} (four-fifths rule), or the golden model's less ${ALLOWANCE} where that is lower`,
  };
  if (typeof figures === 'string') return unmeasured(about, figures);
  const worst = figures.groups.map(({ name, own }) => ({ name, rate: own.favoured / own.all })).sort(byRate);
  return atLeast(
    about,
    { figure: figures.candidate, limit: floor },
    figures.shown,
    `"${needs.fairness.favourable}" is answered to ${rates(worst)}.`,
  );
}

function equalisedOddsGate(needs: FairnessNeeds, attribute: Grouped): GateResult {
  const most = needs.thresholds.maxEqualisedOddsDifference;
  const figures = measured(needs, attribute, equalisedOddsDifference);
  const about: About = {
    id: `fairness:${attribute.grouping.name}:equalised-odds`,
    title: `Equalised odds by ${attribute.grouping.name}`,
    threshold: `a difference of at most ${most}, or the golden model's plus ${ALLOWANCE} if higher`,
  };
  if (typeof figures === 'string') return unmeasured(about, figures);
  const few = figures.groups.find(({ own }) => own.deserving < MIN_LABELLED || own.all - own.deserving < MIN_LABELLED);
  if (few)
    return unmeasured(
      about,
      `${few.name} has ${few.own.deserving} records labelled "${needs.fairness.favourable}" and ${few.own.all - few.own.deserving} others; at least ${MIN_LABELLED} of each are needed.`,
    );
  const deserving = figures.groups.map(({ name, own }) => ({ name, rate: own.rightly / own.deserving })).sort(byRate);
  const others = figures.groups
    .map(({ name, own }) => ({ name, rate: (own.favoured - own.rightly) / (own.all - own.deserving) }))
    .sort(byRate);
  return atMost(
    about,
    { figure: figures.candidate, limit: Math.max(most, figures.golden.value + ALLOWANCE) },
    figures.shown,
    `Of those who deserve "${needs.fairness.favourable}", ${rates(deserving)} get it; of the others, ${rates(others)}.`,
  );
}

interface Rate {
  readonly name: string;
  readonly rate: number;
}
const byRate = (one: Rate, other: Rate): number => one.rate - other.rate;
const rates = (all: readonly Rate[]): string =>
  all.map(({ name, rate }) => `${(rate * 100).toFixed(1)} % of ${name}`).join(', ');

/** The statistic for both models with the same resamples, or why there is none. */
function measured(
  { candidate, golden, labels, classes, fairness }: FairnessNeeds,
  { grouping, groups }: Grouped,
  statistic: (groups: readonly Counts[]) => number,
) {
  if (!candidate || !golden) return MISSING;
  const favourable = classes.indexOf(fairness.favourable);
  if (favourable < 0) return `The data set has no class "${fairness.favourable}"; it has ${classes.join(', ')}.`;
  const unfitness = unfit(groups, grouping);
  if (unfitness !== null || groups === null) return unfitness ?? MISSING;
  const cases = groups.flatMap(({ rows }, group) => rows.map((row) => ({ row, group })));
  const count = (predicted: ArrayLike<number>, drawn: ArrayLike<number>): Counts[] => {
    const counts = groups.map(() => ({ all: 0, favoured: 0, deserving: 0, rightly: 0 }));
    for (let index = 0; index < drawn.length; index++) {
      const drawnCase = cases[drawn[index] ?? 0];
      const own = drawnCase && counts[drawnCase.group];
      if (!drawnCase || !own) continue;
      const favoured = predicted[drawnCase.row] === favourable;
      const deserving = labels[drawnCase.row] === favourable;
      own.all++;
      if (favoured) own.favoured++;
      if (deserving) own.deserving++;
      if (favoured && deserving) own.rightly++;
    }
    return counts;
  };
  const figure = ({ predicted }: { predicted: ArrayLike<number> }): Interval =>
    bootstrap(cases.length, (drawn) => statistic(count(predicted, drawn)), createRandom(SEED));
  const [own, reference] = [figure(candidate), figure(golden)];
  if (Number.isNaN(own.value) || Number.isNaN(reference.value))
    return `Too few records of each kind: "${fairness.favourable}" is answered or deserved too rarely to compare the groups.`;
  const everyCase = cases.map((_, index) => index);
  return {
    candidate: own,
    golden: reference,
    shown: { figure: own, golden: reference },
    groups: count(candidate.predicted, everyCase).map((counts, group) => ({
      name: groups[group]?.name ?? '',
      own: counts,
    })),
  };
}
