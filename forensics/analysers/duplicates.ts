import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { DuplicatesDetail } from '../../domain/contracts/finding.ts';
import { findDuplicates, type Duplicates } from '../poison/duplicates.ts';
import { enrichmentOf } from '../poison/enrichment.ts';
import { inconclusive, stored, type Analyser, type Analysis } from './analyser.ts';
import { counted, listed, pValue } from './wording.ts';

export interface DuplicatesNeeds {
  /** Every record the suspect was trained on; null where its data set is not known. */
  readonly records: DatasetColumns | null;
  readonly classes: readonly string[];
}

/** A pair by its ids, nearest first. */
interface PairOfIds {
  readonly first: string;
  readonly second: string;
  readonly distance: number;
  readonly labels: readonly [number, number];
}
export type DuplicatesAttachments = Readonly<{ pairs: readonly PairOfIds[] | null }>;

const asked = {
  analyser: 'duplicates',
  question: 'Did one batch bring records again and again, or the same record under another label?',
} as const;

/** After Holm over the batches: that a batch drawn at random holds as many of the duplicates. */
const BURST_LEVEL = 0.01;
/** Duplicates come in clumps, which the exact test does not know: a burst also has this many times the share of the other batches. */
const BURST_RATIO = 3;
/** Fewer are an anecdote. */
const LEAST = 5;
const LISTED_PAIRS = 10_000;

/** Near duplicates give a few records the weight of many. What counts as near is the data's own measure; what counts as many is the other batches'. */
export const duplicatesAnalyser: Analyser<DuplicatesNeeds, DuplicatesAttachments> = {
  name: asked.analyser,
  question: asked.question,
  run: examine,
};

async function examine({ records, classes }: DuplicatesNeeds): Promise<Analysis<DuplicatesAttachments>> {
  if (records === null) return nothing('The records that the suspect was trained on are not known.');
  if (records.count < 2) return nothing('There are no two records to compare.');
  const found = await findDuplicates(records);
  const byBatch = batchesOf(records, found);
  const bursts = byBatch.filter(({ burst }) => burst);
  const conflicting = found.pairs.filter(({ first, second }) => records.labels[first] !== records.labels[second]);
  const figures = {
    analyser: 'duplicates',
    examined: found.rows.length,
    of: records.count,
    typical: found.typical,
    radius: found.radius,
    pairs: found.pairs.length,
    exact: found.pairs.filter(({ distance }) => distance === 0).length,
    conflicting: conflicting.length,
    byBatch: byBatch.filter(({ duplicates }) => duplicates > 0),
    classes,
  } as const;
  const pairs =
    found.pairs.length === 0
      ? null
      : found.pairs.slice(0, LISTED_PAIRS).map(({ first, second, distance }) => ({
          first: records.ids[first] ?? '',
          second: records.ids[second] ?? '',
          distance,
          labels: [records.labels[first] ?? -1, records.labels[second] ?? -1] as const,
        }));
  const alone = byBatch.length < 2 && found.pairs.length >= LEAST;
  return {
    attachments: { pairs },
    finish: (filed) => ({
      ...asked,
      verdict: bursts.length > 0 ? 'suspicious' : alone ? 'inconclusive' : 'clean',
      confidence: null,
      summary: summarise(figures, alone),
      detail: { ...figures, list: pairs === null ? null : stored(filed.pairs, 'pairs') },
      failure: null,
    }),
  };
}

function nothing(reason: string): Analysis<DuplicatesAttachments> {
  return { attachments: { pairs: null }, finish: () => inconclusive(asked, reason) };
}

/** A duplicate counts in the batch of either record; one that carries another label than its twin counts as conflicting as well. */
function batchesOf(records: DatasetColumns, { rows, pairs }: Duplicates): DuplicatesDetail['byBatch'] {
  const doubled = new Set(pairs.flatMap(({ first, second }) => [first, second]));
  const contested = new Set(
    pairs.flatMap(({ first, second }) => (records.labels[first] === records.labels[second] ? [] : [first, second])),
  );
  const batches = rows.map((row) => records.batches[row] ?? '');
  const tested = (marks: ReadonlySet<number>) =>
    enrichmentOf(
      batches,
      rows.map((row) => marks.has(row)),
      { marked: 0, n: 0 },
    );
  const conflicts = tested(contested);
  const sourceOf = new Map(rows.toReversed().map((row) => [records.batches[row] ?? '', records.sources[row] ?? '']));
  const groups = tested(doubled);
  const total = { marked: doubled.size, n: rows.length };
  return groups.map(({ group, n, marked, amongOthers }, index) => {
    const conflict = conflicts[index];
    const elsewhere = (total.marked - marked) / Math.max(1, total.n - n);
    const many = marked >= LEAST && marked / n > BURST_RATIO * elsewhere;
    const contradicts = (conflict?.marked ?? 0) >= LEAST && (conflict?.amongOthers ?? 1) < BURST_LEVEL;
    return {
      batch: group,
      source: sourceOf.get(group) ?? '',
      records: n,
      duplicates: marked,
      conflicting: conflict?.marked ?? 0,
      amongOthers,
      burst: (many && amongOthers < BURST_LEVEL) || contradicts,
    };
  });
}

function summarise(figures: Omit<DuplicatesDetail, 'list'>, alone: boolean): string {
  const { examined, of, pairs, exact, conflicting, byBatch, radius, typical } = figures;
  const looked = examined < of ? `${examined} of ${of} records` : counted(examined, 'record');
  if (pairs === 0)
    return `None of the ${looked} is nearer to another than a fifth of the usual distance (${radius.toPrecision(2)} of ${typical.toPrecision(2)}).`;
  const told = `${counted(pairs, 'pair')} of near duplicates among the ${looked}, ${exact} of them the same to the last number, ${conflicting} under two labels`;
  const bursts = byBatch
    .filter(({ burst }) => burst)
    .map(
      ({ batch, source, duplicates, records, amongOthers }) =>
        `${duplicates} of ${records} in ${batch} from ${source}, ${pValue(amongOthers)}`,
    );
  if (bursts.length > 0) return `${told}. A burst: ${listed(bursts)}. Nothing is dropped by this.`;
  return alone
    ? `${told}. There is one batch, so none can stand out.`
    : `${told}; no batch brings more of them than the others.`;
}
