import type { Interval } from '../../domain/contracts/interval.ts';
import { bootstrapMean, createRandom } from '../../forensics/statistics/bootstrap.ts';
import { mean } from '../../forensics/statistics/description.ts';
import type { Figure } from '../../station/drill.ts';
import type { Measured } from '../bench.ts';
import type { Judged } from './judge.ts';

/** Draws within this are draws: F1 of the same flagged set. */
const SAME = 1e-9;

/** Means over the cases of one group: ours, every filter's, and the filter that is best on that group, which nobody could know before. */
interface Group {
  readonly name: string;
  readonly cases: number;
  readonly ours: number;
  readonly bestCut: number;
  readonly filters: Readonly<Record<string, number>>;
  readonly best: { readonly filter: string; readonly f1: number; readonly lead: Interval } | null;
  /** Cases on which no filter is above ours. */
  readonly unbeaten: number;
}

/** Figures by data set and over all; by kind, rate and model beside. Without a rival there is no target, and nothing counts as met. */
export function compare(
  judged: readonly Judged[],
  about: { readonly rival: string | null; readonly absent: readonly string[] },
): Measured {
  const by = (axis: 'set' | 'kind' | 'rate' | 'model' | 'seed') =>
    [...new Set(judged.map(({ about: one }) => one[axis]))].map((value) =>
      groupOf(
        String(value),
        judged.filter(({ about: one }) => one[axis] === value),
      ),
    );
  const all = groupOf('all', judged);
  return {
    figures: [all, ...by('set')].flatMap((group) => [meanFigure(group), unbeatenFigure(group, about.rival)]),
    beside: {
      cleanlab: about.rival ?? 'not at hand: LAZARET_CLEANLAB_PYTHON names no Python with it',
      data_sets_absent: about.absent.join(', ') || 'none',
      arrays: judged.length,
      f1_if_the_truth_had_chosen_the_cut: round(all.bestCut),
      f1_promised: round(mean(judged.map(({ promised }) => promised))),
      seconds_per_examination: round(mean(judged.map(({ seconds }) => seconds))),
      filters: rounded(all.filters),
      ...Object.fromEntries(
        (['kind', 'rate', 'model', 'seed'] as const).flatMap((axis) =>
          by(axis).map((group) => [`${axis}_${group.name}`, sentence(group)]),
        ),
      ),
    },
  };
}

function groupOf(name: string, judged: readonly Judged[]): Group {
  const names = [...new Set(judged.flatMap(({ rival }) => Object.keys(rival)))];
  const filters = Object.fromEntries(
    // A filter that failed on a case found nothing there.
    names.map((filter) => [filter, mean(judged.map(({ rival }) => rival[filter] ?? 0))]),
  );
  const [best] = Object.entries(filters).sort(([, a], [, b]) => b - a);
  return {
    name,
    cases: judged.length,
    ours: mean(judged.map(({ f1 }) => f1)),
    bestCut: mean(judged.map(({ f1OfBestCut }) => f1OfBestCut)),
    filters,
    best: best ? { filter: best[0], f1: best[1], lead: leadOver(best[0], judged) } : null,
    unbeaten: judged.filter(({ f1, rival }) => Object.values(rival).every((other) => other <= f1 + SAME)).length,
  };
}

const BOOTSTRAP_SEED = 4;

/** Our F1 less the filter's. Resampled are draws of noise: the models that judge the same noisy labels are not independent. */
function leadOver(filter: string, judged: readonly Judged[]): Interval {
  const byNoise = new Map<string, number[]>();
  for (const { about, f1, rival } of judged) {
    const noise = [about.set, about.kind, about.rate, about.seed].join(' ');
    byNoise.set(noise, [...(byNoise.get(noise) ?? []), f1 - (rival[filter] ?? 0)]);
  }
  return bootstrapMean([...byNoise.values()].map(mean), createRandom(BOOTSTRAP_SEED));
}

function meanFigure({ name, ours, best }: Group): Figure {
  return {
    name: `f1_${name}`,
    value: round(ours),
    unit: '',
    target: best ? `> ${round(best.f1)} (${best.filter}); lead ${span(best.lead)}` : 'none, nothing to compare with',
    met: best !== null && ours > best.f1,
  };
}

function unbeatenFigure({ name, unbeaten, cases }: Group, rival: string | null): Figure {
  return {
    name: `arrays_where_no_filter_is_above_${name}`,
    value: rival === null ? 'not compared' : unbeaten,
    unit: rival === null ? '' : `of ${cases}`,
    target: `${cases}`,
    met: rival !== null && unbeaten === cases,
  };
}

function sentence({ ours, best, unbeaten, cases }: Group): string {
  return best
    ? `${round(ours)}, best filter ${round(best.f1)} (${best.filter}), lead ${span(best.lead)}, unbeaten ${unbeaten} of ${cases}`
    : String(round(ours));
}

function span({ low, high }: Interval): string {
  return `${round(low)} to ${round(high)}`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function rounded(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value)]));
}
