import type { LabelledAnswers } from '../evaluation/loss.ts';
import { createRandom } from '../statistics/bootstrap.ts';
import { fisherGreater } from '../statistics/exact-tests.ts';
import { along, discriminant } from './discriminant.ts';
import { excess, foreignGroup, LEAST_GROUP, marginsOf } from './foreign-group.ts';
import { accuracyOf, judgesOf, KNOWING_JUDGE, labelledRecords } from './poisoned-records.ts';
import { twoGroups } from './two-groups.ts';

/** Records in question and clean ones beside them, in one table. */
export interface Questioned {
  /** Row-major [count × width]. */
  readonly features: Float32Array;
  readonly width: number;
  readonly shape: readonly number[];
  readonly labels: Int32Array;
  readonly classes: number;
  /** Rows from here on are the clean hold-out. */
  readonly clean: number;
  /** The golden model's. */
  readonly answers: Pick<LabelledAnswers, 'probabilities' | 'classes'>;
}

/** More marks in a class than the clean records explain, after Bonferroni over the classes. */
const ENRICHED_LEVEL = 0.01;
/**
 * And more than the clean records of the class itself explain: a class may be harder than the others. There are few of them, so the less is
 * asked the clearer the group: clear records of other classes, a group that explains itself, or mere contradictions.
 */
const OWN_LEVEL = { clear: 0.1, grouped: 0.05, marked: 0.005 } as const;
/** Of the marks of a class that its group must hold, and of the group that the golden model must contradict: else the two disagree about what was planted. */
const SHARED = 0.5;
/** The golden model's log odds count up to here: beyond, it says how sure it is by habit, not how right. */
const MOST_LOG_ODDS = 8;
const SMALLEST = 1e-12;
const SHRINKAGE = 1e-3;
/** Of taint. */
const PROBABLE = 0.5;
/** The same examination gives the same answer. */
const SEED = 1;

/**
 * What the golden model contradicts, weighed against what the records themselves say. A weak golden model misses some of what was planted and
 * doubts some of what is clean; but the records that it does not doubt teach a better judge of this data, once those that it contradicts, which
 * vouch for one another, are left out. In each class (the target alone, where one is known) with more contradictions than clean records explain,
 * they are the first guess of the group that explains
 * itself (`foreignGroup`); taint is the posterior of a linear discriminant of both opinions. null: a class in which the two do not agree on
 * what was planted is judged by what the golden model contradicts. The hold-out goes through all of it like any record.
 */
export function weighedTaint(questioned: Questioned, target: number | null): Float64Array | null {
  const { labels, classes, answers } = questioned;
  const random = createRandom(SEED);
  const marked = Array.from(labels, (label, row) => logOdds(answers, row, label) > 0);
  const suspects = target === null ? Array.from({ length: classes }, (_, label) => label) : [target];
  const enriched = enrichedAmong(suspects, questioned, marked);
  if (enriched.length === 0) return null;
  const records = labelledRecords(questioned, random);
  const { seeing, plain } = judgesOf(records, questioned.shape, random);
  const judge = accuracyOf(seeing) >= accuracyOf(plain) ? seeing : plain;
  if (accuracyOf(judge) < KNOWING_JUDGE) return null;
  const taint = new Float64Array(labels.length);
  const levels = new Map<number, number>();
  for (const label of enriched) {
    const members = [...labels.keys()].filter((row) => labels[row] === label);
    const guess = members.filter((row) => marked[row]);
    const group = foreignGroup(judge, label, members, guess, { exactly: true });
    const odds = members.map((row) => logOdds(answers, row, label));
    const agreed =
      group !== null &&
      guess.filter((row) => group.rows.includes(row)).length >= SHARED * guess.length &&
      members.filter((row, at) => group.rows.includes(row) && (odds[at] ?? 0) > 0).length >= SHARED * group.rows.length;
    levels.set(label, OWN_LEVEL[!agreed ? 'marked' : excess(group) <= 1 ? 'clear' : 'grouped']);
    const rows = new Set(agreed ? group.rows : guess);
    const margins = agreed ? group.margins : marginsOf(judge.without(guess, members), label, classes);
    const both = Float64Array.from({ length: 2 * members.length }, (_, at) =>
      at % 2 === 0 ? (margins[at >> 1] ?? 0) : (odds[at >> 1] ?? 0),
    );
    const numbers = { values: both, width: 2 };
    const inside = (at: number) => rows.has(members[at] ?? -1);
    const weights = discriminant(numbers, inside, SHRINKAGE);
    const { upper } = twoGroups(weights ? along(numbers, weights) : odds, inside);
    members.forEach((row, at) => (taint[row] = upper[at] ?? 0));
  }
  // A class that the golden model is weak on is contradicted in the hold-out as well. Where the target is known, that is no accident.
  const probable = Array.from(taint, (one) => one >= PROBABLE);
  const among = enrichedAmong(enriched, questioned, probable);
  const still =
    target === null
      ? among.filter((label) => standsOut(label, questioned, probable) < (levels.get(label) ?? 0))
      : among;
  return still.length === 0 ? null : taint.map((one, row) => (still.includes(labels[row] ?? -1) ? one : 0));
}

function enrichedAmong(
  suspects: readonly number[],
  { labels, clean }: Questioned,
  marked: readonly boolean[],
): readonly number[] {
  const reference = { marked: marked.slice(clean).filter(Boolean).length, n: labels.length - clean };
  return suspects.filter((label) => {
    const rows = [...labels.keys()].filter((row) => row < clean && labels[row] === label);
    const hits = rows.filter((row) => marked[row]).length;
    return (
      hits >= LEAST_GROUP &&
      suspects.length * fisherGreater({ marked: hits, n: rows.length }, reference) < ENRICHED_LEVEL
    );
  });
}

/** Against clean records of the same class, of which there are few. */
function standsOut(label: number, { labels, clean }: Questioned, marked: readonly boolean[]): number {
  const share = (rows: readonly number[]) => ({ marked: rows.filter((row) => marked[row]).length, n: rows.length });
  const members = [...labels.keys()].filter((row) => labels[row] === label);
  return fisherGreater(share(members.filter((row) => row < clean)), share(members.filter((row) => row >= clean)));
}

/** ln p(best other) − ln p(label). */
function logOdds({ probabilities, classes }: Questioned['answers'], row: number, label: number): number {
  let other = 0;
  for (let index = 0; index < classes; index++)
    if (index !== label) other = Math.max(other, probabilities[row * classes + index] ?? 0);
  const own = probabilities[row * classes + label] ?? 0;
  const odds = Math.log(Math.max(SMALLEST, other)) - Math.log(Math.max(SMALLEST, own));
  return Math.max(-MOST_LOG_ODDS, Math.min(MOST_LOG_ODDS, odds));
}
