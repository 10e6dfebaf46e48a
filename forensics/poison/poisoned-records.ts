import { setImmediate as turn } from 'node:timers/promises';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { createRandom } from '../statistics/bootstrap.ts';
import { winners } from '../statistics/calibration.ts';
import { intrudersOf, type Intruders, type Suspect } from './intruders.ts';
import { createKernelJudge, drawn, type KernelJudge, type LabelledRecords } from './kernel-judge.ts';
import { projected } from './projection.ts';

/** The strongest sign in each class, whether or not it reached its threshold. */
export interface ClassSigns {
  readonly label: number;
  /** Share of other records that a common pattern leads to the label, and only in the suspect. */
  readonly success: number;
  readonly misfit: number;
}

export interface PoisonExamination {
  /** Rows that were looked at; all of them up to MOST_RECORDS. */
  readonly rows: readonly number[];
  readonly groups: readonly Intruders[];
  /** Share of records whose label the judge gives them when they are left out. */
  readonly judgeAccuracy: number;
  readonly signs: readonly ClassSigns[];
  /** Probability that a record was put where it is, one for each of `rows`; 0 in a class that holds no group. */
  readonly taint: Float64Array;
  /** Records with at least this taint are marked. */
  readonly cut: number;
}

/** Beyond it a sample is looked at, drawn evenly: the cost of a class grows with its records times its clusters. */
export const MOST_RECORDS = 20_000;
/** A judge that is wrong more often does not know this data: what it finds informs and is no alarm (traffic signs: .87, two of eight false). */
export const KNOWING_JUDGE = 0.9;
/** The same examination gives the same answer. */
const SEED = 1;
/** A record is never marked that is more probably clean. */
const LEAST_TAINT = 0.5;

/** Which records of the training data were planted, by the data and the suspect alone: no golden model, no clean record. */
export async function examinePoison(
  columns: DatasetColumns,
  classes: number,
  suspect: Suspect,
  falseAlarmBudget: number,
): Promise<PoisonExamination> {
  const random = createRandom(SEED);
  const rows =
    columns.count <= MOST_RECORDS
      ? Array.from({ length: columns.count }, (_, row) => row)
      : [...drawn(columns.count, MOST_RECORDS, random)].sort((a, b) => a - b);
  const judge = createKernelJudge(recordsOf(columns, rows, classes, random), random);
  const judgeAccuracy = accuracyOf(judge);
  const groups: Intruders[] = [];
  const signs: ClassSigns[] = [];
  for (let label = 0; label < classes; label++) {
    groups.push(...(await intrudersOf(judge, label, suspect, random, (sign) => signs.push({ label, ...sign }))));
    // Heartbeats go out between two classes.
    await turn();
  }
  const taint = new Float64Array(rows.length);
  for (const group of groups) group.rows.forEach((row, at) => (taint[row] = group.taint[at] ?? 0));
  return { rows, groups, judgeAccuracy, signs, taint, cut: budgetedCut(taint, falseAlarmBudget) };
}

function accuracyOf(judge: KernelJudge): number {
  const { labels, classes, count } = judge.records;
  const scores = judge.without([], [...labels.keys()]);
  return winners(Float32Array.from(scores), classes).filter((answer, row) => answer === labels[row]).length / count;
}

/** The lowest cut, not below one half, at which the clean records expected among the marked are within the budget's share of all clean ones. */
export function budgetedCut(taint: Float64Array, budget: number): number {
  const clean = taint.reduce((sum, p) => sum + 1 - p, 0);
  const order = [...taint].sort((a, b) => b - a);
  let expected = 0;
  let cut = 1;
  for (const p of order) {
    expected += 1 - p;
    if (p < LEAST_TAINT || expected > budget * clean) break;
    cut = p;
  }
  return cut;
}

function recordsOf(
  columns: DatasetColumns,
  rows: readonly number[],
  classes: number,
  random: () => number,
): LabelledRecords {
  const { width } = columns;
  const features = new Float32Array(rows.length * width);
  rows.forEach((row, at) => features.set(columns.features.subarray(row * width, (row + 1) * width), at * width));
  let low = Infinity;
  let high = -Infinity;
  for (const value of features) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return {
    features,
    width,
    count: rows.length,
    labels: Int32Array.from(rows, (row) => columns.labels[row] ?? 0),
    classes,
    range: { low, high },
    sketch: projected(features, rows.length, width, random),
  };
}
