import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { Grouping } from '../../domain/contracts/gates.ts';

/** Records of the hold-out that one value or side of a threshold brings together. */
export interface Group {
  /** As people read it, e.g. `age > 25` or `sex = 2`. */
  readonly name: string;
  readonly rows: readonly number[];
}

/** Features are float32, declared values are decimal: what rounding may part. */
const SAME = 1e-5;

/** The groups of a declared grouping, in the order of its values; null where the records have no such feature. */
export function groupsOf(
  { name, feature, threshold, values }: Grouping,
  { features, width, count }: Pick<DatasetColumns, 'features' | 'width' | 'count'>,
): readonly Group[] | null {
  if (feature >= width) return null;
  const rowsWhere = (holds: (value: number) => boolean) =>
    Array.from({ length: count }, (_, row) => row).filter((row) => holds(features[row * width + feature] ?? NaN));
  if (threshold !== undefined)
    return [
      { name: `${name} ≤ ${threshold}`, rows: rowsWhere((value) => value <= threshold) },
      { name: `${name} > ${threshold}`, rows: rowsWhere((value) => value > threshold) },
    ];
  return (values ?? []).map((wanted) => ({
    name: `${name} = ${wanted}`,
    rows: rowsWhere((value) => Math.abs(value - wanted) <= SAME * Math.max(1, Math.abs(wanted))),
  }));
}

/** Fewer records than this say nothing about a group. */
export const MIN_GROUP = 30;

/** Why the groups cannot be compared; null where they can. */
export function unfit(groups: readonly Group[] | null, { name, feature }: Grouping): string | null {
  if (groups === null) return `The records have no feature ${feature}, which "${name}" is declared by.`;
  const small = groups.find((group) => group.rows.length < MIN_GROUP);
  return small
    ? `Only ${small.rows.length} records of the hold-out have ${small.name}; at least ${MIN_GROUP} are needed.`
    : null;
}
