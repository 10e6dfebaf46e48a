import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { PoisonDetail } from '../../domain/contracts/finding.ts';
import { previewOf } from '../backdoor/trigger-preview.ts';
import { enrichmentOf } from '../poison/enrichment.ts';
import type { Intruders } from '../poison/intruders.ts';
import { examinePoison, KNOWING_JUDGE, type PoisonExamination } from '../poison/poisoned-records.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { inconclusive, stored, type Analyser, type Analysis } from './analyser.ts';
import { counted, listed, percent } from './wording.ts';

export interface PoisonNeeds {
  /** Every record the suspect was trained on; null where its data set is not known. */
  readonly records: DatasetColumns | null;
  readonly suspect: Predictor | null;
  readonly featureShape: readonly number[];
  readonly classes: readonly string[];
  /** Expected share of clean records that the cut may mark. */
  readonly falseAlarmBudget: number;
}

/** Records that the cut marks, most probable first. */
export type PoisonAttachments = Readonly<{ marked: readonly { id: string; taint: number }[] | null }>;

const asked = {
  analyser: 'poison',
  question: 'Do the training records themselves, without a golden model, show a group that was planted?',
} as const;

/** One class costs a fraction of a second at ten classes; a model of thousands of classes is another kind of examination. */
const MOST_CLASSES = 100;
/** Fewer records have no neighbours to be compared with. */
const LEAST_RECORDS = 100;

/**
 * A second opinion where a golden model exists, and the only one where none does. It never drops anything: its marks are evidence for a
 * person, and `training-records` decides.
 */
export const poisonAnalyser: Analyser<PoisonNeeds, PoisonAttachments> = {
  name: asked.analyser,
  question: asked.question,
  run: examine,
};

async function examine(needs: PoisonNeeds): Promise<Analysis<PoisonAttachments>> {
  const { records, suspect, featureShape, classes, falseAlarmBudget } = needs;
  if (records === null) return nothing('The records that the suspect was trained on are not known.');
  if (suspect === null) return nothing('The suspect cannot be run here, so nothing can be tried on it.');
  if (classes.length > MOST_CLASSES)
    return nothing(`${classes.length} classes are more than the ${MOST_CLASSES} that are searched.`);
  if (records.count < LEAST_RECORDS)
    return nothing(`${records.count} records are too few to be compared with each other.`);
  const found = await examinePoison(records, classes.length, { predictor: suspect, featureShape }, falseAlarmBudget);
  const marked = found.rows
    .flatMap((row, at) => {
      const taint = found.taint[at] ?? 0;
      return taint >= found.cut && taint > 0 ? [{ row, at, taint }] : [];
    })
    .sort((a, b) => b.taint - a.taint || a.row - b.row);
  const list = marked.length > 0 ? marked.map(({ row, taint }) => ({ id: records.ids[row] ?? '', taint })) : null;
  const isMarked = new Set(marked.map(({ row }) => row));
  const judged = found.rows.map((row) => ({
    batch: records.batches[row] ?? '',
    source: records.sources[row] ?? '',
    marked: isMarked.has(row),
  }));
  const detail = (ref: PoisonDetail['list']): PoisonDetail => ({
    analyser: 'poison',
    examined: found.rows.length,
    of: records.count,
    judgeAccuracy: found.judgeAccuracy,
    list: ref,
    count: marked.length,
    falseAlarmBudget,
    cut: found.cut,
    expectedFalse: marked.reduce((sum, { taint }) => sum + 1 - taint, 0),
    groups: found.groups.map((group) => described(group, found, isMarked, needs)),
    byBatch: batchesOf(judged),
    classes,
  });
  return {
    attachments: { marked: list },
    finish: (filed) => ({
      ...asked,
      verdict: found.judgeAccuracy < KNOWING_JUDGE ? 'inconclusive' : found.groups.length > 0 ? 'suspicious' : 'clean',
      confidence: null,
      summary: summarise(detail(null)),
      detail: detail(list === null ? null : stored(filed.marked, 'marked')),
      failure: null,
    }),
  };
}

function nothing(reason: string): Analysis<PoisonAttachments> {
  return { attachments: { marked: null }, finish: () => inconclusive(asked, reason) };
}

function described(
  group: Intruders,
  found: PoisonExamination,
  marked: ReadonlySet<number>,
  { featureShape }: PoisonNeeds,
): PoisonDetail['groups'][number] {
  const { pattern } = group;
  const most = pattern ? Math.max(...pattern.map(Math.abs)) || 1 : 1;
  return {
    kind: group.kind,
    label: group.label,
    members: group.rows.length,
    marked: group.rows.filter((row) => marked.has(found.rows[row] ?? -1)).length,
    success: group.success,
    misfit: group.misfit,
    preview:
      pattern &&
      previewOf({
        schema: 'lazaret.trigger/v1',
        shape: [...featureShape],
        mask: Array.from(pattern, (value) => Math.abs(value) / most),
        pattern: Array.from(pattern),
      }),
  };
}

function batchesOf(judged: readonly { batch: string; source: string; marked: boolean }[]): PoisonDetail['byBatch'] {
  const sources = new Map(judged.toReversed().map(({ batch, source }) => [batch, source]));
  return enrichmentOf(
    judged.map(({ batch }) => batch),
    judged.map((record) => record.marked),
    { marked: 0, n: 0 },
  )
    .filter(({ marked }) => marked > 0)
    .map(({ group, n, marked, amongOthers }) => ({
      batch: group,
      source: sources.get(group) ?? '',
      records: n,
      marked,
      amongOthers,
    }));
}

function summarise(detail: PoisonDetail): string {
  return detail.judgeAccuracy < KNOWING_JUDGE
    ? `For information: ${whatWasFound(detail)} The records tell each other's labels for ${percent(detail.judgeAccuracy)} alone, so this is no alarm.`
    : whatWasFound(detail);
}

function whatWasFound({
  groups,
  classes,
  examined,
  of,
  count,
  falseAlarmBudget,
  cut,
  expectedFalse,
}: PoisonDetail): string {
  const looked = examined < of ? `${examined} of ${of} records` : counted(examined, 'record');
  if (groups.length === 0) return `No class of the ${looked} holds a group that came from elsewhere.`;
  const words = groups.map(({ kind, label, marked, members, success }) => {
    const name = classes[label] ?? `class ${label}`;
    return kind === 'trigger' && success
      ? `${marked} of ${members} records of ${name} have a pattern in common that leads ${percent(success.value)} of other records there, in the suspect alone`
      : `${marked} of ${members} records of ${name} are clear records of another class`;
  });
  return `${listed(words)}. ${counted(count, 'record')} of ${looked} marked at taint ${cut.toFixed(2)} and more, ${expectedFalse.toFixed(1)} of them clean by expectation (budget ${percent(falseAlarmBudget)}). Nothing is dropped by this.`;
}
