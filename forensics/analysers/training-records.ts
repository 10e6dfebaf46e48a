import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { answersTo } from '../evaluation/loss.ts';
import { mark, TAINT_LEVEL, weigh, withCarriers, type Judged, type MarkNeeds, type Marks } from '../poison/marks.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { flowMatrix } from '../statistics/calibration.ts';
import { conformalThreshold } from '../statistics/conformal.ts';
import { inconclusive, stored, type Analyser, type Analysis } from './analyser.ts';
import { counted, listed, percent, pValue } from './wording.ts';

export interface TrainingRecordsNeeds extends MarkNeeds {
  /** Every record the suspect was trained on; null where its data set is not known. */
  readonly records: DatasetColumns | null;
  readonly golden: Predictor | null;
  /** Clean records that the golden model was not trained on. */
  readonly holdout: DatasetColumns | null;
}

/** `taintedIds`: the records to drop, sorted by code point. `taint`: how probable it is of each record, the most probable first. */
export type TrainingRecordsAttachments = Readonly<{
  taintedIds: readonly string[] | null;
  taint: RecordTaint | null;
}>;

export interface RecordTaint {
  readonly schema: 'lazaret.record-taint/v1';
  /** Records with less than this are left out. */
  readonly least: number;
  readonly records: readonly { id: string; taint: number; marked: boolean }[];
}

/** Below it a record is as good as any other, and a data set has millions of those. */
const LEAST_TAINT = 0.01;
const DIGITS = 1e4;

const asked = {
  analyser: 'training-records',
  question: 'Which training records would the golden model never have labelled like that?',
} as const;

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
  return { attachments: { taintedIds: null, taint: null }, finish: () => inconclusive(asked, reason) };
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

function conclude(judged: Judged, marks: Marks): Analysis<TrainingRecordsAttachments> {
  const { records, answers, needs } = judged;
  if (marks.fresh.length === 0)
    return nothing('The suspect was trained on no record that the golden model was not trained on.');
  const rows = marks.tainted ? marks.fresh.filter((_, at) => marks.flags[at]) : [];
  const taintedIds = rows.length > 0 ? rows.map((row) => records.ids[row] ?? '').sort(byCodePoint) : null;
  const taint = taintOf(judged.records, marks);
  const flow = flowMatrix(
    rows.map((row) => answers.predicted[row] ?? -1),
    rows.map((row) => records.labels[row] ?? -1),
    needs.classes.length,
  );
  return {
    attachments: { taintedIds, taint },
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
        taint: taint === null ? null : stored(filed.taint, 'taint'),
        expectedFalse: marks.fresh.reduce(
          (sum, _, at) => sum + (marks.tainted && marks.flags[at] ? 1 - (marks.taint[at] ?? 0) : 0),
          0,
        ),
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

function taintOf({ ids }: DatasetColumns, { fresh, taint, flags, tainted }: Marks): RecordTaint | null {
  const records = fresh
    .map((row, at) => ({
      id: ids[row] ?? '',
      taint: Math.round((taint[at] ?? 0) * DIGITS) / DIGITS,
      marked: tainted && (flags[at] ?? false),
    }))
    .filter((record) => record.taint >= LEAST_TAINT)
    .sort((a, b) => b.taint - a.taint || byCodePoint(a.id, b.id));
  return records.length === 0 ? null : { schema: 'lazaret.record-taint/v1', least: LEAST_TAINT, records };
}

function summarise(marks: Marks, needs: MarkNeeds): string {
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
