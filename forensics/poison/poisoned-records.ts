import { setImmediate as turn } from 'node:timers/promises';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { createRandom, type Random } from '../statistics/bootstrap.ts';
import { winners } from '../statistics/calibration.ts';
import { intrudersOf, type Intruders, type Judges, type Suspect } from './intruders.ts';
import {
  createKernelJudge,
  PLAIN,
  drawn,
  type Fineness,
  type KernelJudge,
  type LabelledRecords,
} from './kernel-judge.ts';
import { patchView } from './patch-features.ts';
import { projected } from './projection.ts';
import { rowsAt } from './rows.ts';

/** The strongest sign in each class, whether or not it reached its threshold. */
export interface ClassSigns {
  readonly label: number;
  /** Share of other records that a common pattern leads to the label, and only in the suspect. */
  readonly success: number;
  /** Of the clearest group, in units of the most that is believed: an alarm at 1 and less. */
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
  const records = labelledRecords(chosen(columns, rows, classes), random);
  const judges = judgesOf(records, suspect.featureShape, random);
  const judgeAccuracy = Math.max(accuracyOf(judges.plain), accuracyOf(judges.seeing));
  const groups: Intruders[] = [];
  const signs: ClassSigns[] = [];
  for (let label = 0; label < classes; label++) {
    groups.push(...(await intrudersOf(judges, label, suspect, random, (sign) => signs.push({ label, ...sign }))));
    // Heartbeats go out between two classes.
    await turn();
  }
  const taint = new Float64Array(rows.length);
  for (const group of groups) group.rows.forEach((row, at) => (taint[row] = group.taint[at] ?? 0));
  return { rows, groups, judgeAccuracy, signs, taint, cut: budgetedCut(taint, falseAlarmBudget) };
}

/** What pictures show needs a finer judge. On 3,000 traffic signs 256 landmarks were right for .87 to .92 of the records left out, 512 for .93 to .96. */
const SEEING: Fineness = { landmarks: 384, ridge: 0.01 };

/** Of fewer records, as many landmarks would be a third. */
const MANY = 1200;

/** Records that are no pictures have one view. */
export function judgesOf(records: LabelledRecords, shape: readonly number[], random: Random): Judges {
  const plain = createKernelJudge(records, random);
  const view = patchView(records.features, records.count, shape, random);
  return {
    plain,
    seeing: view
      ? createKernelJudge(
          { ...records, view },
          random,
          records.count < MANY ? { ...SEEING, landmarks: PLAIN.landmarks } : SEEING,
        )
      : plain,
  };
}

/** Share of records whose label the others give them. */
export function accuracyOf(judge: KernelJudge): number {
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

function chosen({ features, labels, width }: DatasetColumns, rows: readonly number[], classes: number): Labelled {
  return {
    features: rowsAt(features, width, rows),
    width,
    labels: Int32Array.from(rows, (row) => labels[row] ?? 0),
    classes,
  };
}

type Labelled = Pick<LabelledRecords, 'features' | 'width' | 'labels' | 'classes'>;

/** Compared by their own numbers. */
export function labelledRecords({ features, width, labels, classes }: Labelled, random: Random): LabelledRecords {
  let low = Infinity;
  let high = -Infinity;
  for (const value of features) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return {
    features,
    width,
    count: labels.length,
    labels,
    classes,
    range: { low, high },
    sketch: projected(features, labels.length, width, random),
    view: { table: { features, width }, of: (others) => others },
  };
}
