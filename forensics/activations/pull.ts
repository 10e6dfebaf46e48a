import type { Influences } from '../../domain/contracts/activations.ts';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { ActivationsDetail } from '../../domain/contracts/finding.ts';
import { enrichmentOf } from '../poison/enrichment.ts';
import { conformalThreshold } from '../statistics/conformal.ts';

/** What of a training set pulls towards the answers that are explained. */
export interface Pull {
  readonly examined: number;
  readonly marked: number;
  readonly threshold: number;
  readonly list: readonly { readonly id: string; readonly influence: number }[];
  readonly byBatch: NonNullable<ActivationsDetail['influence']>['byBatch'];
}

const MOST_LISTED = 1_000;
/** Batches without a marked record say nothing; of the others, the findings of a workflow's history have room for so many. */
const MOST_BATCHES = 100;

/**
 * Records whose influence is above what a share `budget` of clean records reaches, and the batches that hold more of them than chance gives
 * (exact tests, Holm). null where the clean records are too few for the budget, or the ids are not those of the records.
 */
export function pullOf(influences: Influences, records: DatasetColumns | null, budget: number): Pull | null {
  const { ids, scores, clean } = influences;
  const threshold = conformalThreshold(clean, budget);
  if (records === null || threshold === null || ids.length !== scores.length) return null;
  const rowOf = new Map(records.ids.map((id, row) => [id, row]));
  const rows = ids.map((id) => rowOf.get(id));
  if (!rows.every((row) => row !== undefined)) return null;
  const marks = scores.map((score) => score > threshold);
  const groups = rows.map((row) => records.batches[row] ?? '');
  const sourceOf = new Map(rows.map((row) => [records.batches[row] ?? '', records.sources[row] ?? '']));
  const enriched = enrichmentOf(groups, marks, {
    marked: clean.filter((score) => score > threshold).length,
    n: clean.length,
  });
  return {
    examined: ids.length,
    marked: marks.filter(Boolean).length,
    threshold,
    list: ids
      .map((id, index) => ({ id, influence: scores[index] ?? 0 }))
      .filter((_, index) => marks[index])
      .sort((a, b) => b.influence - a.influence)
      .slice(0, MOST_LISTED),
    byBatch: enriched
      .filter(({ marked }) => marked > 0)
      .sort((a, b) => a.amongOthers - b.amongOthers || b.marked - a.marked)
      .slice(0, MOST_BATCHES)
      .map(({ group, n, marked, pValue, amongOthers }) => ({
        batch: group,
        source: sourceOf.get(group) ?? '',
        records: n,
        marked,
        pValue,
        amongOthers,
      })),
  };
}
