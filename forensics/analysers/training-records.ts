import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { TrainingRecordsDetail } from '../../domain/contracts/finding.ts';
import { answersTo, type LabelledAnswers } from '../evaluation/loss.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { conformalThreshold } from '../statistics/conformal.ts';
import { flowMatrix } from '../statistics/calibration.ts';
import { carriersAmong } from '../poison/carried-trigger.ts';
import { weighedTaint } from '../poison/contradicted-records.ts';
import { enrichmentOf } from '../poison/enrichment.ts';
import { budgetedCut, MOST_RECORDS } from '../poison/poisoned-records.ts';
import { rowsAt } from '../poison/rows.ts';
import type { RecoveredTrigger } from '../requests/excision.ts';
import { tableOf, type CapturedRow } from './window.ts';
import { fisherGreater } from '../statistics/exact-tests.ts';
import { inconclusive, stored, type Analyser, type Analysis } from './analyser.ts';
import { counted, listed, percent, pValue } from './wording.ts';

export interface TrainingRecordsNeeds {
  /** Every record the suspect was trained on; null where its data set is not known. */
  readonly records: DatasetColumns | null;
  readonly golden: Predictor | null;
  /** Clean records that the golden model was not trained on. */
  readonly holdout: DatasetColumns | null;
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

/** Ids of the records to drop, sorted by code point. */
export type TrainingRecordsAttachments = Readonly<{ taintedIds: readonly string[] | null }>;

const asked = {
  analyser: 'training-records',
  question: 'Which training records would the golden model never have labelled like that?',
} as const;

/**
 * Nats. The threshold never falls below this, however little the clean hold-out asks for: the golden model gives the label less than 22 %.
 * Measured on poisoned digits and MNIST: with the attack's target known, F1 .97 to .999 over stickers, blends and flips.
 */
const LEAST_LOSS = 1.5;
/** A batch or a data set is tainted when chance gives as many marked records with less than this probability (after Holm). */
const TAINT_LEVEL = 0.01;

/**
 * Poisoned records contradict a model that never saw them. A record is marked when the golden model's loss on its label exceeds what clean
 * hold-out records reach with the stated probability. Only records the golden model was not trained on are judged: it has learned its own.
 */
export const trainingRecordsAnalyser: Analyser<TrainingRecordsNeeds, TrainingRecordsAttachments> = {
  name: asked.analyser,
  question: asked.question,
  run: examine,
};

function nothing(reason: string): Analysis<TrainingRecordsAttachments> {
  return { attachments: { taintedIds: null }, finish: () => inconclusive(asked, reason) };
}

async function examine(needs: TrainingRecordsNeeds): Promise<Analysis<TrainingRecordsAttachments>> {
  const { records, golden, holdout, featureShape, attackTarget, falseAlarmBudget } = needs;
  if (golden === null) return nothing('No golden model is there to judge the records with.');
  if (records === null) return nothing('The records that the suspect was trained on are not known.');
  if (holdout === null || holdout.count === 0) return nothing('No clean hold-out is there to set the threshold by.');
  const reference = await answersTo(golden, holdout, featureShape);
  if (conformalThreshold(reference.losses, falseAlarmBudget) === null)
    return nothing(
      `A false-alarm budget of ${percent(falseAlarmBudget)} needs more than the ${holdout.count} clean records of the hold-out.`,
    );
  const answers = await answersTo(golden, records, featureShape);
  const judged = { records, answers, holdout, reference, needs };
  const targeted = mark(judged, attackTarget);
  // An attack on the records need not be the one that was captured: without a trace of that one, any label counts.
  const marks = attackTarget !== null && !targeted.tainted ? mark(judged, null) : targeted;
  const weighed = (attackTarget === null ? null : weigh(judged, marks, attackTarget)) ?? weigh(judged, marks, null);
  return conclude(judged, await withCarriers(judged, weighed ?? marks));
}

interface Judged {
  readonly records: DatasetColumns;
  readonly answers: LabelledAnswers;
  readonly holdout: DatasetColumns;
  readonly reference: LabelledAnswers;
  readonly needs: TrainingRecordsNeeds;
}

/** Which records carry a label that the golden model rules out. */
interface Marks {
  readonly threshold: number;
  /** Rows of the records that the golden model was not trained on, and which of them are marked. */
  readonly fresh: readonly number[];
  readonly flags: readonly boolean[];
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

function mark({ records, answers, holdout, reference, needs }: Judged, target: number | null): Marks {
  const losses = scoresOf(holdout, reference, target);
  const threshold = Math.max(LEAST_LOSS, conformalThreshold(losses, needs.falseAlarmBudget) ?? Infinity);
  const above = (score: number) => score > threshold;
  const clean = Array.from(losses, above);
  const marked = Array.from(scoresOf(records, answers, target), above);
  const news = needs.newBatches === null ? null : new Set(needs.newBatches);
  const isFresh = records.batches.map((batch) => news === null || news.has(batch));
  const fresh = [...isFresh.keys()].filter((row) => isFresh[row]);
  const known = marked.filter((_, row) => !isFresh[row]);
  const flags = fresh.map((row) => marked[row] ?? false);
  return {
    ...tally(records, fresh, flags, clean),
    threshold,
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
): Omit<Marks, 'threshold' | 'outside' | 'carriers'> {
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
function weigh(
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
  const cut = budgetedCut(taint.subarray(0, fresh.length), needs.falseAlarmBudget);
  const kept = Array.from(taint, (one) => one > 0 && one >= cut);
  // The class of the marks was tested already; over batches and sources the same marks may be too thin to stand out.
  const again = tally(records, fresh, kept.slice(0, fresh.length), kept.slice(fresh.length));
  return { ...marks, ...again, tainted: true };
}

/** Records of the target that carry the trigger, whatever the golden model says of their label. */
async function withCarriers({ records, holdout, needs }: Judged, marks: Marks): Promise<Marks> {
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
  return { ...marks, ...tally(records, marks.fresh, flags, marks.clean), tainted: true, carriers: carriers.size };
}

function conclude(judged: Judged, marks: Marks): Analysis<TrainingRecordsAttachments> {
  const { records, answers, needs } = judged;
  if (marks.fresh.length === 0)
    return nothing('The suspect was trained on no record that the golden model was not trained on.');
  const rows = marks.tainted ? marks.fresh.filter((_, at) => marks.flags[at]) : [];
  const taintedIds = rows.length > 0 ? rows.map((row) => records.ids[row] ?? '').sort(byCodePoint) : null;
  const flow = flowMatrix(
    rows.map((row) => answers.predicted[row] ?? -1),
    rows.map((row) => records.labels[row] ?? -1),
    needs.classes.length,
  );
  return {
    attachments: { taintedIds },
    finish: (filed) => ({
      ...asked,
      verdict: rows.length > 0 ? 'compromised' : marks.outside > 0 ? 'suspicious' : 'clean',
      confidence: null,
      summary: summarise(marks, needs),
      detail: {
        analyser: 'training-records',
        examined: marks.fresh.length,
        list: taintedIds === null ? null : stored(filed.taintedIds, 'taintedIds'),
        count: rows.length,
        falseAlarmBudget: needs.falseAlarmBudget,
        threshold: marks.threshold,
        byBatch: marks.byBatch,
        bySource: marks.bySource,
        flow,
      },
      failure: null,
    }),
  };
}

function summarise(marks: Marks, needs: TrainingRecordsNeeds): string {
  const budget = `at most ${percent(needs.falseAlarmBudget)} of clean records would be marked`;
  const outside =
    marks.outside > 0
      ? ` ${counted(marks.outside, 'record')} of batches the golden model itself was trained on look tainted too: doubt the golden model.`
      : '';
  if (!marks.tainted)
    return `${marks.flags.filter(Boolean).length} of ${marks.fresh.length} records contradict the golden model, no more than chance gives (${budget}).${outside}`;
  const worst = marks.byBatch
    .filter((batch) => batch.pValue < TAINT_LEVEL)
    .sort((a, b) => b.tainted - a.tainted)
    .map(
      (batch) => `${batch.tainted} of ${batch.records} in ${batch.batch} from ${batch.source}, ${pValue(batch.pValue)}`,
    );
  const what =
    marks.carriers > 0
      ? `a label that the golden model rules out, or the trigger of the attack (${marks.carriers})`
      : 'a label that the golden model rules out';
  const where = worst.length > 0 ? listed(worst) : thinly(marks.bySource);
  return `${marks.flags.filter(Boolean).length} of ${marks.fresh.length} new records carry ${what}: ${where} (${budget}).${outside}`;
}

/** No batch stands out: a source that sends a little poison with every batch may. */
function thinly(bySource: Marks['bySource']): string {
  const sources = bySource
    .filter((source) => source.pValue < TAINT_LEVEL && source.amongOthers < TAINT_LEVEL)
    .map(({ source, tainted, records, pValue: p }) => `${tainted} of ${records} from ${source}, ${pValue(p)}`);
  return sources.length > 0
    ? `${listed(sources)}, spread over the batches of that source`
    : 'spread thinly over the batches';
}

/** Order of UTF-8 bytes; JavaScript's own order is that of UTF-16 and differs beyond the basic plane. */
export function byCodePoint(a: string, b: string): number {
  const left = Array.from(a);
  const right = Array.from(b);
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
