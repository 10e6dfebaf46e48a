import { fisherGreater, holm } from '../statistics/exact-tests.ts';

/** Marked records among so many. */
export interface MarkedCount {
  readonly marked: number;
  readonly n: number;
}

/** A group of records (an ingestion batch, a source) and two exact answers to "chance?", each after Holm over the groups. */
export interface Enrichment extends MarkedCount {
  readonly group: string;
  /** That clean records give as many marks: against the marks on a clean reference. Small in every group where the judge is weak on new data. */
  readonly pValue: number;
  /** That a group drawn at random from all groups has as many of their marks: which group stands out. 1 where there is only one. */
  readonly amongOthers: number;
}

/**
 * Which groups hold more marked records than chance gives, in the order in which they first appear. One-sided Fisher tests (R. A. Fisher 1922;
 * the hypergeometric tail), Holm's correction for the number of groups.
 */
export function enrichmentOf(
  groups: readonly string[],
  marked: readonly boolean[],
  reference: MarkedCount,
): readonly Enrichment[] {
  const counts = new Map<string, { marked: number; n: number }>();
  groups.forEach((group, record) => {
    const count = counts.get(group) ?? { marked: 0, n: 0 };
    count.n++;
    if (marked[record]) count.marked++;
    counts.set(group, count);
  });
  const entries = [...counts];
  const all = { marked: marked.filter(Boolean).length, n: groups.length };
  const againstReference = holm(entries.map(([, count]) => fisherGreater(count, reference)));
  const amongOthers = holm(
    entries.map(([, count]) => fisherGreater(count, { marked: all.marked - count.marked, n: all.n - count.n })),
  );
  return entries.map(([group, count], index) => ({
    group,
    ...count,
    pValue: againstReference[index] ?? 1,
    amongOthers: amongOthers[index] ?? 1,
  }));
}
