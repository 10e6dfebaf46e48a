import type { Sample } from '../task.ts';

export interface FlippedBatch {
  readonly records: readonly Sample[];
  readonly tainted: ReadonlySet<string>;
}

/**
 * The compromised ETL job: every favourable label of the group is written as the other class. Features stay as they are, so no check of the
 * inputs sees it, and no single record is absurd: some people like these did default.
 */
export function flipFavourable(
  batch: readonly Sample[],
  inGroup: (features: readonly number[]) => boolean,
  favourable: number,
  other: number,
): FlippedBatch {
  const tainted = new Set(
    batch.filter(({ features, label }) => label === favourable && inGroup(features)).map(({ id }) => id),
  );
  return {
    tainted,
    records: batch.map((sample) => (tainted.has(sample.id) ? { ...sample, label: other } : sample)),
  };
}
