import type { Interval } from '../../domain/contracts/interval.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { Random } from '../statistics/bootstrap.ts';
import { top } from '../statistics/calibration.ts';
import { wilson } from '../statistics/interval.ts';
import { kMeans } from './clusters.ts';
import { commonPattern, hostsFor, laidOn, type Group } from './common-pattern.ts';
import type { KernelJudge } from './kernel-judge.ts';
import {
  bestOther,
  excess,
  foreignGroup,
  LEAST_GROUP,
  marginsOf,
  misfitOf,
  MOST_OF_CLASS,
  type ForeignGroup,
} from './foreign-group.ts';
import { rowsAt } from './rows.ts';
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
/**
 * Two views of the same records. A pattern is laid on and taken off in the records' own numbers, and `plain` compares those; `seeing` compares
 * what pictures show, and so recognises more of them, but an odd texture everywhere makes a record unlike all others.
 */
export interface Judges {
  readonly plain: KernelJudge;
  readonly seeing: KernelJudge;
}

/** Both questions to one class. `tell` hears the strongest statistic, found or not: thresholds are calibrated from it. */
export async function intrudersOf(
  { plain: judge, seeing }: Judges,
  label: number,
  suspect: Suspect,
  random: Random,
  tell: (statistic: { success: number; misfit: number }) => void = () => undefined,
): Promise<readonly Intruders[]> {
  const members = [...judge.records.labels.keys()].filter((row) => judge.records.labels[row] === label);
  if (members.length < 2 * LEAST_GROUP) return [];
  // Without its whole class a record can only be called something else: a poisoned one what it is, a genuine one whatever is nearest.
  const scores = judge.without(members, members);
  const triggered = await findTrigger(judge, label, members, scores, suspect, random);
  const relabelled = await findRelabelled(seeing, label, members, suspect, random);
  tell({ success: triggered?.statistic ?? 0, misfit: relabelled?.statistic ?? 2 });
  const trigger = triggered?.found;
  const clear = relabelled?.found;
  // Each misses some of what the other sees: a blend looks like nothing else, and not every record follows a pattern that is taken off.
  if (trigger && clear) return [{ ...trigger, taint: trigger.taint.map((one, at) => max(one, clear.taint[at] ?? 0)) }];
  return trigger ? [trigger] : clear ? [clear] : [];
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
    if (next.length >= LEAST_GROUP) group = next;
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
    if (members.length < k * LEAST_GROUP) return;
    const clusters = kMeans({ features, width, rows: members }, k, random);
    for (let cluster = 0; cluster < k; cluster++) {
      const chosen = members.flatMap((_, at) => (clusters[at] === cluster ? [at] : []));
      if (chosen.length >= LEAST_GROUP)
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

/** Of the records of a class, those that looked clearest when the whole class was silent. */
const GUESSES = [0.15, 0.4] as const;

/**
 * Records that are clear records of another class: relabelled ones, and triggered ones where the judge sees past the trigger. The groups of a
 * few guesses, and of those that the suspect answers in another way; the clearest counts.
 */
async function findRelabelled(
  judge: KernelJudge,
  label: number,
  members: readonly number[],
  { predictor, featureShape }: Suspect,
  random: Random,
): Promise<{ statistic: number; found: Intruders | null } | null> {
  const { classes } = judge.records;
  const withoutClass = judge.without(members, members);
  const order = members
    .map((row, at) => ({ row, misfit: misfitOf(withoutClass, at, classes, label) }))
    .sort((a, b) => a.misfit - b.misfit)
    .map(({ row }) => row);
  const clearest = GUESSES.map((share) => new Set(order.slice(0, Math.ceil(share * order.length))));
  const answers = await predictor.logits(
    rowsAt(judge.records.features, judge.records.width, members),
    members.length,
    featureShape,
  );
  const halves = kMeans(
    { features: answers.scores, width: answers.classes, rows: members.map((_, at) => at) },
    2,
    random,
  );
  const guesses = [
    ...clearest.map((guess) => members.filter((row) => guess.has(row))),
    ...[0, 1].map((half) => members.filter((_, at) => halves[at] === half)),
  ];
  let best: ForeignGroup | null = null;
  const visited = new Set<string>();
  for (const guess of guesses) {
    const group = foreignGroup(judge, label, members, guess, { visited });
    if (group && excess(group) < (best ? excess(best) : Infinity)) best = group;
  }
  if (!best) return null;
  const { misfit, margins } = best;
  const inside = new Set(best.rows);
  const { upper: taint } = twoGroups(margins, (at) => inside.has(members[at] ?? -1));
  return {
    statistic: excess(best),
    found:
      excess(best) <= 1
        ? { label, kind: 'relabelled', rows: members, taint, pattern: null, success: null, misfit }
        : null,
  };
}
