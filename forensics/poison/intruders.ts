import type { Interval } from '../../domain/contracts/interval.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { Random } from '../statistics/bootstrap.ts';
import { top } from '../statistics/calibration.ts';
import { wilson } from '../statistics/interval.ts';
import { kMeans } from './clusters.ts';
import { commonPattern, hostsFor, laidOn, type Group } from './common-pattern.ts';
import type { KernelJudge } from './kernel-judge.ts';
import { twoGroupCut, twoGroups } from './two-groups.ts';

// Named here because they run for every score.
const { max, min } = Math;

/** A group inside one class that came from elsewhere. */
export interface Intruders {
  readonly label: number;
  readonly kind: 'trigger' | 'relabelled';
  /** Records of the class, and for each the probability that it is one of the group. */
  readonly rows: readonly number[];
  readonly taint: Float64Array;
  /** `trigger`: what was added to the group's records, as the group itself tells it. */
  readonly pattern: Float64Array | null;
  /** `trigger`: share of records of other classes that the suspect gives this label once the pattern is added. */
  readonly success: Interval | null;
  /** `relabelled`: mean squared distance of the group's scores from those of clear records of another class. */
  readonly misfit: number | null;
}

export interface Suspect {
  readonly predictor: Predictor;
  readonly featureShape: readonly number[];
}

/** Fewer records than this teach a model nothing and are an anecdote. */
const LEAST = 5;
const CLUSTERINGS = [2, 4, 8] as const;
const HOSTS = 200;
/**
 * Of records of other classes that a pattern must lead to the label. Clean clusters of digits and MNIST reach .50, poisoned ones .6 and
 * more (docs/forensics/poison.md).
 */
const TRIGGER_SUCCESS = 0.55;
/**
 * A pattern that leads nearly all records in the suspect (clean clusters: .71 at most) is believed at a lower share: where half of a class is
 * planted, the few records that are not recognised still teach the judge.
 */
const STRONG = { led: 0.85, success: 0.35 } as const;
/** A group that is more of its class than this is the class: what it has in common is what its records look like. */
const MOST_OF_CLASS = 2 / 3;
/** A group as near to clear records of another class as this was relabelled; clean groups of digits stay above .2. */
const RELABELLED_MISFIT = 0.12;

/** Both questions to one class. `tell` hears the strongest statistic, found or not: thresholds are calibrated from it. */
export async function intrudersOf(
  judge: KernelJudge,
  label: number,
  suspect: Suspect,
  random: Random,
  tell: (statistic: { success: number; misfit: number }) => void = () => undefined,
): Promise<readonly Intruders[]> {
  const members = [...judge.records.labels.keys()].filter((row) => judge.records.labels[row] === label);
  if (members.length < 2 * LEAST) return [];
  // Without its whole class a record can only be called something else: a poisoned one what it is, a genuine one whatever is nearest.
  const scores = judge.without(members, members);
  const triggered = await findTrigger(judge, label, members, scores, suspect, random);
  const relabelled = findRelabelled(judge, label, members, scores);
  tell({ success: triggered?.statistic ?? 0, misfit: relabelled?.misfit ?? 1 });
  return [
    ...(relabelled !== null && relabelled.misfit <= RELABELLED_MISFIT
      ? [relabelled]
      : triggered?.found
        ? [triggered.found]
        : []),
  ];
}

/**
 * A trigger can be laid on other records and taken off again; a way of writing a digit cannot. For each cluster of the class: what do its
 * records have that their like have not, and does the suspect answer the label when other records get it? Then it is taken off every record of
 * the class: those that the suspect no longer answers with the label had it. What makes other records truly look like the label is no trigger:
 * a hit counts where the data without those records say otherwise.
 */
async function findTrigger(
  judge: KernelJudge,
  label: number,
  members: readonly number[],
  withoutClass: Float64Array,
  suspect: Suspect,
  random: Random,
): Promise<{ statistic: number; found: Intruders | null } | null> {
  const { classes } = judge.records;
  const likeness = members.map((_, at) => bestOther(withoutClass, at, classes, label));
  const hosts = hostsFor(judge.records, label, HOSTS, random);
  let best: Tried | null = null;
  for (const group of clustersOf(judge, members, likeness, random)) {
    const tried = await tryGroup(judge, label, group, hosts, suspect);
    if (tried && tried.led.length > (best?.led.length ?? -1)) best = tried;
  }
  if (!best) return null;
  if (best.led.length < TRIGGER_SUCCESS * hosts.length)
    return { statistic: best.led.length / hosts.length, found: null };
  const routes = [
    await byTakingOff(judge, label, members, best, hosts, suspect),
    byLeavingOut(judge, label, members, best),
  ];
  const [{ taint, group, pattern, led }] = routes.sort((a, b) => b.distance - a.distance) as [Route, Route];
  const innocent = judge.ofOthers(group, laidOn(judge.records, led, pattern, 1));
  const own = marginsOf(innocent, label, classes);
  const success = wilson(own.filter((margin) => margin > 0).length, hosts.length);
  const convincing =
    success.value >= TRIGGER_SUCCESS || (led.length >= STRONG.led * hosts.length && success.value >= STRONG.success);
  return {
    statistic: success.value,
    found:
      !convincing || group.length > MOST_OF_CLASS * members.length
        ? null
        : { label, kind: 'trigger', rows: members, taint, pattern, success, misfit: null },
  };
}

interface Tried {
  readonly rows: readonly number[];
  readonly pattern: Float64Array;
  /** Hosts that the suspect gives the label once they have the pattern. */
  readonly led: readonly number[];
}

/** One way from a cluster to all records of its kind. */
interface Route {
  readonly group: readonly number[];
  readonly taint: Float64Array;
  /** How far the two kinds of records are apart, in standard deviations. */
  readonly distance: number;
  readonly pattern: Float64Array;
  readonly led: readonly number[];
}

/** Patches and blends: what the pattern is taken off is answered as what it is. Once more with the pattern of all that had it. */
async function byTakingOff(
  judge: KernelJudge,
  label: number,
  members: readonly number[],
  best: Tried,
  hosts: readonly number[],
  suspect: Suspect,
): Promise<Route> {
  const first = await takenOff(judge, label, members, best.pattern, suspect);
  const again = await tryGroup(judge, label, first.group, hosts, suspect);
  const better = again && again.led.length >= best.led.length / 2 ? again : null;
  const last = better ? await takenOff(judge, label, members, better.pattern, suspect) : first;
  const { pattern, led } = better ?? best;
  return { group: last.group.rows, taint: last.taint, distance: last.distance, pattern, led };
}

/** Warps: nothing can be taken off, but records that are left out together are called what they are by the rest. */
function byLeavingOut(judge: KernelJudge, label: number, members: readonly number[], best: Tried): Route {
  let group = best.rows;
  let margins = new Float64Array();
  for (let round = 0; round < ROUNDS; round++) {
    margins = marginsOf(judge.without(group, members), label, judge.records.classes);
    const cut = min(0, twoGroupCut(margins));
    const next = members.filter((_, at) => (margins[at] ?? 0) > cut);
    if (next.length >= LEAST) group = next;
  }
  const inside = new Set(group);
  const { upper: taint, distance } = twoGroups(margins, (at) => inside.has(members[at] ?? -1));
  return { group, taint, distance, pattern: best.pattern, led: best.led };
}

function* clustersOf(
  judge: KernelJudge,
  members: readonly number[],
  likeness: readonly number[],
  random: Random,
): Generator<Group> {
  const { features, width } = judge.records.sketch;
  for (const k of CLUSTERINGS) {
    if (members.length < k * LEAST) return;
    const clusters = kMeans({ features, width, rows: members }, k, random);
    for (let cluster = 0; cluster < k; cluster++) {
      const chosen = members.flatMap((_, at) => (clusters[at] === cluster ? [at] : []));
      if (chosen.length >= LEAST)
        yield { rows: chosen.map((at) => members[at] ?? 0), looksLike: chosen.map((at) => likeness[at] ?? 0) };
    }
  }
}

/** The hosts that the suspect gives the label once they have the group's pattern. */
async function tryGroup(
  judge: KernelJudge,
  label: number,
  group: Group,
  hosts: readonly number[],
  { predictor, featureShape }: Suspect,
): Promise<Tried | null> {
  const pattern = commonPattern(judge.records, group);
  if (!pattern || hosts.length === 0) return null;
  const laid = laidOn(judge.records, hosts, pattern, 1);
  const { scores, classes } = await predictor.logits(laid, hosts.length, featureShape);
  return { rows: group.rows, pattern, led: hosts.filter((_, at) => top(scores, at, classes).index === label) };
}

async function takenOff(
  judge: KernelJudge,
  label: number,
  members: readonly number[],
  pattern: Float64Array,
  { predictor, featureShape }: Suspect,
): Promise<{ taint: Float64Array; distance: number; group: Group }> {
  const bare = laidOn(judge.records, members, pattern, -1);
  const { scores, classes } = await predictor.logits(bare, members.length, featureShape);
  const margins = marginsOf(Float64Array.from(scores), label, classes);
  const { upper: taint, distance } = twoGroups(margins, (at) => (margins[at] ?? 0) > 0);
  const chosen = members.flatMap((_, at) => ((margins[at] ?? 0) > 0 ? [at] : []));
  return {
    taint,
    distance,
    group: {
      rows: chosen.map((at) => members[at] ?? 0),
      looksLike: chosen.map((at) => bestOther(scores, at, classes, label)),
    },
  };
}

const ROUNDS = 3;

/**
 * Relabelled records need no trigger: left out as a group, they are clear records of another class. They are sought round by round from those
 * that looked clearest when the whole class was silent.
 */
function findRelabelled(
  judge: KernelJudge,
  label: number,
  members: readonly number[],
  withoutClass: Float64Array,
): (Intruders & { misfit: number }) | null {
  const { classes } = judge.records;
  const misfits = members.map((_, at) => misfitOf(withoutClass, at, classes, label));
  let chosen = members.flatMap((_, at) => ((misfits[at] ?? 1) < 2 * RELABELLED_MISFIT ? [at] : []));
  let scores = withoutClass;
  let margins = new Float64Array();
  for (let round = 0; round < ROUNDS; round++) {
    if (chosen.length < LEAST || chosen.length > members.length / 2) return null;
    scores = judge.without(
      chosen.map((at) => members[at] ?? 0),
      members,
    );
    margins = marginsOf(scores, label, classes);
    const cut = twoGroupCut(margins);
    chosen = members.flatMap((_, at) => ((margins[at] ?? 0) > max(0, cut) ? [at] : []));
  }
  if (chosen.length < LEAST) return null;
  const misfit = chosen.reduce((sum, at) => sum + misfitOf(scores, at, classes, label), 0) / chosen.length;
  const inside = new Set(chosen);
  const { upper: taint } = twoGroups(margins, (at) => inside.has(at));
  return { label, kind: 'relabelled', rows: members, taint, pattern: null, success: null, misfit };
}

/** Best score of another class − score of the label, by row. */
export function marginsOf(scores: Float64Array, label: number, classes: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: scores.length / classes }, (_, at) => {
    const other = bestOther(scores, at, classes, label);
    return (scores[at * classes + other] ?? 0) - (scores[at * classes + label] ?? 0);
  });
}

/** The class with the best score besides `label`. */
function bestOther(scores: ArrayLike<number>, at: number, classes: number, label: number): number {
  let best = label === 0 ? 1 : 0;
  for (let index = 0; index < classes; index++)
    if (index !== label && (scores[at * classes + index] ?? 0) > (scores[at * classes + best] ?? 0)) best = index;
  return best;
}

/** Squared distance of a row of scores from 1 for its best other class and 0 for all the rest. */
function misfitOf(scores: Float64Array, at: number, classes: number, label: number): number {
  const best = bestOther(scores, at, classes, label);
  let sum = 0;
  for (let index = 0; index < classes; index++) {
    const score = min(1, max(0, scores[at * classes + index] ?? 0));
    sum += index === best ? (1 - score) ** 2 : score ** 2;
  }
  return sum;
}
