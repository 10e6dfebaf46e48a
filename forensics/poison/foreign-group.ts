import type { KernelJudge } from './kernel-judge.ts';
import { twoGroupCut } from './two-groups.ts';

// Named here because they run for every score.
const { max, min } = Math;

/** Records of one class that the rest of the data would call something else once they are left out together. */
export interface ForeignGroup {
  readonly rows: readonly number[];
  /** For each record of the class: best score of another class − score of the label, without the group. */
  readonly margins: Float64Array<ArrayBuffer>;
  /** Mean squared distance of the group's scores from those of clear records of another class: 0 to about 2. */
  readonly misfit: number;
  /** Effective number of classes that they are called (exp of the entropy of the counts): one for a flip, many for a trigger laid on anything. */
  readonly sources: number;
}

/** Fewer records than this teach a model nothing and are an anecdote. */
export const LEAST_GROUP = 5;
/** A group that is more of its class than this is the class: what it has in common is what its records look like. */
export const MOST_OF_CLASS = 2 / 3;
const ROUNDS = 5;

/**
 * From a first guess to the group that explains itself: left out together, its records, and no others of the class, are called something else.
 * Planted records vouch for one another, so each round leaves out those that the last round no longer believed. null where the guess dissolves
 * or swallows the class, or where it takes a way that another guess went before (`visited`). Rounds are scored nearly, the group itself
 * exactly; `exactly` all.
 */
export function foreignGroup(
  judge: KernelJudge,
  label: number,
  members: readonly number[],
  guess: readonly number[],
  { visited = new Set<string>(), exactly = false } = {},
): ForeignGroup | null {
  const { classes } = judge.records;
  const fits = (group: readonly number[]) =>
    group.length >= LEAST_GROUP && group.length <= MOST_OF_CLASS * members.length;
  const own = new Set<string>();
  const scored = exactly ? judge.without : judge.nearlyWithout;
  let rows = guess;
  for (let round = 0; fits(rows); round++) {
    const nearly = marginsOf(scored(rows, members), label, classes);
    const cut = max(0, twoGroupCut(nearly));
    const next = members.filter((_, at) => (nearly[at] ?? 0) > cut);
    const name = next.join();
    const settled = next.length === rows.length && next.every((row, at) => row === rows[at]);
    if (settled || own.has(name) || round === ROUNDS) {
      const scores = judge.without(rows, members);
      const inside = new Set(rows);
      const places = members.flatMap((row, at) => (inside.has(row) ? [at] : []));
      const misfits = places.map((at) => misfitOf(scores, at, classes, label));
      return {
        rows,
        margins: marginsOf(scores, label, classes),
        misfit: misfits.reduce((sum, one) => sum + one, 0) / misfits.length,
        sources: effectiveNumber(places.map((at) => bestOther(scores, at, classes, label))),
      };
    }
    if (visited.has(name)) return null;
    visited.add(name);
    own.add(name);
    rows = next;
  }
  return null;
}

/** Best score of another class − score of the label, by row. */
export function marginsOf(scores: Float64Array, label: number, classes: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: scores.length / classes }, (_, at) => {
    const other = bestOther(scores, at, classes, label);
    return (scores[at * classes + other] ?? 0) - (scores[at * classes + label] ?? 0);
  });
}

/** The class with the best score besides `label`. */
export function bestOther(scores: ArrayLike<number>, at: number, classes: number, label: number): number {
  let best = label === 0 ? 1 : 0;
  for (let index = 0; index < classes; index++)
    if (index !== label && (scores[at * classes + index] ?? 0) > (scores[at * classes + best] ?? 0)) best = index;
  return best;
}

/** Squared distance of a row of scores from 1 for its best other class and 0 for all the rest. */
export function misfitOf(scores: Float64Array, at: number, classes: number, label: number): number {
  const best = bestOther(scores, at, classes, label);
  let sum = 0;
  for (let index = 0; index < classes; index++) {
    const score = min(1, max(0, scores[at * classes + index] ?? 0));
    sum += index === best ? (1 - score) ** 2 : score ** 2;
  }
  return sum;
}

function effectiveNumber(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) entropy -= (count / labels.length) * Math.log(count / labels.length);
  return Math.exp(entropy);
}

/**
 * A group as near to clear records of other classes as this came from there. Where it is called one other class alone, the two classes may
 * resemble each other (clean groups of the development data: .18 to .29 at up to 2.3 classes); records of many classes do not end up in one by
 * themselves (clean groups at more than 2.5 classes: .38 and more).
 */
const MISFIT = { oneSource: 0.15, manySources: 0.3, many: 4 } as const;

function mostMisfit(sources: number): number {
  const share = min(1, max(0, (sources - 1) / (MISFIT.many - 1)));
  return MISFIT.oneSource + share * (MISFIT.manySources - MISFIT.oneSource);
}

/** Misfit in units of the most that is believed. */
export function excess({ misfit, sources }: ForeignGroup): number {
  return misfit / mostMisfit(sources);
}
