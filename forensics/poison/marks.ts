import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { TrainingRecordsDetail } from '../../domain/contracts/finding.ts';
import { tableOf, type CapturedRow } from '../analysers/window.ts';
import type { LabelledAnswers } from '../evaluation/loss.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { RecoveredTrigger } from '../requests/excision.ts';
import { conformalThreshold } from '../statistics/conformal.ts';
import { fisherGreater } from '../statistics/exact-tests.ts';
import { taintByTail } from '../statistics/tail-taint.ts';
import { carriersAmong } from './carried-trigger.ts';
import { weighedTaint } from './contradicted-records.ts';
import { enrichmentOf } from './enrichment.ts';
import { budgetedCut, MOST_RECORDS } from './poisoned-records.ts';
import { rowsAt } from './rows.ts';

/**
 * Nats. The threshold never falls below this, however little the clean hold-out asks for: the golden model gives the label less than 22 %.
 * Measured on poisoned digits and MNIST: with the attack's target known, F1 .97 to .999 over stickers, blends and flips.
 */
const LEAST_LOSS = 1.5;
/** A batch or a data set is tainted when chance gives as many marked records with less than this probability (after Holm). */
export const TAINT_LEVEL = 0.01;

/** What marking asks for beside the records and the answers to them. */
export interface MarkNeeds {
  readonly featureShape: readonly number[];
  readonly classes: readonly string[];
  /** Class that captured requests were drawn to, from the behaviour analyser. */
  readonly attackTarget: number | null;
  /** These requests, and the trigger that the search for a backdoor recovered; absent or null where there are none. */
  readonly captured?: readonly Pick<CapturedRow, 'input'>[];
  readonly trigger?: RecoveredTrigger | null;
  readonly suspect?: Predictor | null;
  /** Batches the golden model was not trained on, from the lineage analyser; null where lineage does not know. */
  readonly newBatches: readonly string[] | null;
  /** Share of clean records that may be marked by mistake, above 0. */
  readonly falseAlarmBudget: number;
}

/** The records and the clean hold-out with the golden model's answers to both. */
export interface Judged {
  readonly records: DatasetColumns;
  readonly answers: LabelledAnswers;
  readonly holdout: DatasetColumns;
  readonly reference: LabelledAnswers;
  readonly needs: MarkNeeds;
}

/** Which records carry a label that the golden model rules out. */
export interface Marks {
  readonly threshold: number;
  /** Rows of the records that the golden model was not trained on, and which of them are marked. */
  readonly fresh: readonly number[];
  readonly flags: readonly boolean[];
  /** For each of them the probability that it was planted: by the golden model's loss alone, by the records' own opinion beside it, or by the trigger. */
  readonly taint: Float64Array;
  /** Which records of the clean hold-out the same procedure marks. */
  readonly clean: readonly boolean[];
  readonly byBatch: TrainingRecordsDetail['byBatch'];
  readonly bySource: NonNullable<TrainingRecordsDetail['bySource']>;
  readonly tainted: boolean;
  /** Records among the marked that carry the trigger of a known attack, whatever the golden model says. */
  readonly carriers: number;
  /** Marked records that the golden model was trained on itself, when there are more of them than the budget explains. */
  readonly outside: number;
}

/** A record's score is its loss; with a known target, records of other labels score zero, and so do they in the hold-out. */
function scoresOf(columns: DatasetColumns, answers: LabelledAnswers, target: number | null): Float64Array {
  return answers.losses.map((loss, row) => (target === null || columns.labels[row] === target ? loss : 0));
}

export function mark({ records, answers, holdout, reference, needs }: Judged, target: number | null): Marks {
  const losses = scoresOf(holdout, reference, target);
  const threshold = Math.max(LEAST_LOSS, conformalThreshold(losses, needs.falseAlarmBudget) ?? Infinity);
  const above = (score: number) => score > threshold;
  const clean = Array.from(losses, above);
  const scores = scoresOf(records, answers, target);
  const marked = Array.from(scores, above);
  const news = needs.newBatches === null ? null : new Set(needs.newBatches);
  const isFresh = records.batches.map((batch) => news === null || news.has(batch));
  const fresh = [...isFresh.keys()].filter((row) => isFresh[row]);
  const known = marked.filter((_, row) => !isFresh[row]);
  const flags = fresh.map((row) => marked[row] ?? false);
  return {
    ...tally(records, fresh, flags, clean),
    threshold,
    taint: taintByTail(
      fresh.map((row) => scores[row] ?? 0),
      losses,
    ),
    carriers: 0,
    outside: fisherGreater(share(known), share(clean)) < TAINT_LEVEL ? known.filter(Boolean).length : 0,
  };
}

/** How the marks lie over batches and sources, and whether chance explains them. */
function tally(
  { batches, sources }: DatasetColumns,
  fresh: readonly number[],
  flags: readonly boolean[],
  clean: readonly boolean[],
): Omit<Marks, 'threshold' | 'outside' | 'carriers' | 'taint'> {
  const cleanMarked = share(clean);
  const batchOf = fresh.map((row) => batches[row] ?? '');
  const from = fresh.map((row) => sources[row] ?? '');
  const enriched = (groups: readonly string[]) =>
    enrichmentOf(groups, flags, cleanMarked).map(({ group, n, marked, pValue, amongOthers }) => ({
      group,
      figures: { records: n, tainted: marked, pValue, amongOthers },
    }));
  const sourceOf = new Map(batchOf.map((batch, at) => [batch, from[at] ?? ''] as const).toReversed());
  const byBatch = enriched(batchOf).map(({ group, figures }) => ({
    batch: group,
    source: sourceOf.get(group) ?? '',
    ...figures,
  }));
  const bySource = enriched(from).map(({ group, figures }) => ({ source: group, ...figures }));
  // Thinly spread records show in the sum and in no single batch.
  const overall = fisherGreater(share(flags), cleanMarked);
  const tainted = overall < TAINT_LEVEL || [...byBatch, ...bySource].some(({ pValue }) => pValue < TAINT_LEVEL);
  return { fresh, flags, clean, byBatch, bySource, tainted };
}

function share(flags: readonly boolean[]): { marked: number; n: number } {
  return { marked: flags.filter(Boolean).length, n: flags.length };
}

/** The records' own opinion beside the golden model's. The hold-out goes through the same and stays what the counts are compared with. */
export function weigh(
  { records, answers, holdout, reference, needs }: Judged,
  marks: Marks,
  target: number | null,
): Marks | null {
  const { fresh } = marks;
  if (fresh.length === 0 || fresh.length + holdout.count > MOST_RECORDS) return null;
  const { width } = records;
  const both = (own: Float32Array, clean: Float32Array, columns: number) =>
    Float32Array.from([...rowsAt(own, columns, fresh), ...clean]);
  const taint = weighedTaint(
    {
      features: both(records.features, holdout.features, width),
      width,
      shape: needs.featureShape,
      labels: Int32Array.from([...fresh.map((row) => records.labels[row] ?? 0), ...holdout.labels]),
      classes: needs.classes.length,
      clean: fresh.length,
      answers: {
        probabilities: both(answers.probabilities, reference.probabilities, answers.classes),
        classes: answers.classes,
      },
    },
    target,
  );
  if (taint === null) return null;
  const own = taint.subarray(0, fresh.length);
  const cut = budgetedCut(own, needs.falseAlarmBudget);
  const kept = Array.from(taint, (one) => one > 0 && one >= cut);
  // The class of the marks was tested already; over batches and sources the same marks may be too thin to stand out.
  const again = tally(records, fresh, kept.slice(0, fresh.length), kept.slice(fresh.length));
  return { ...marks, ...again, taint: own, tainted: true };
}

/** Records of the target that carry the trigger, whatever the golden model says of their label. */
export async function withCarriers({ records, holdout, needs }: Judged, marks: Marks): Promise<Marks> {
  const target = needs.attackTarget ?? needs.trigger?.target ?? null;
  if (target === null) return marks;
  const { width } = records;
  const places = [...marks.fresh.keys()].filter((at) => records.labels[marks.fresh[at] ?? -1] === target);
  const captured = needs.captured ?? [];
  if (places.length === 0) return marks;
  const rows = places.map((place) => marks.fresh[place] ?? 0);
  const carries = await carriersAmong({
    records: { features: rowsAt(records.features, width, rows), count: rows.length },
    holdout: { features: holdout.features, count: holdout.count },
    own: (row) => holdout.labels[row] === target,
    captured: { features: tableOf(captured, width), count: captured.length },
    trigger: needs.trigger?.target === target ? needs.trigger : null,
    suspect: needs.suspect ?? null,
    featureShape: needs.featureShape,
    falseAlarmBudget: needs.falseAlarmBudget,
  });
  const carriers = new Set(places.filter((_, at) => carries[at]));
  if (carriers.size === 0) return marks;
  const rest = marks.flags.filter((flag, at) => flag && !carriers.has(at)).length;
  // Marks without the trigger, no more of them than the budget expects among clean records, are those.
  const expected = !marks.tainted || rest <= needs.falseAlarmBudget * marks.fresh.length;
  const flags = marks.flags.map((flag, at) => carriers.has(at) || (flag && !expected));
  // Of the clean records of the class the budget lets so many be taken for carriers.
  const carried = Math.max(0, 1 - (needs.falseAlarmBudget * places.length) / carriers.size);
  const taint = marks.taint.map((one, at) =>
    carriers.has(at) ? Math.max(one, carried) : marks.flags[at] && expected ? 0 : one,
  );
  return {
    ...marks,
    ...tally(records, marks.fresh, flags, marks.clean),
    taint,
    tainted: true,
    carriers: carriers.size,
  };
}
