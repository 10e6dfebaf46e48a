/** Beyond this many deviations all values are equally strange: one cell MUST NOT outweigh all others. */
export const CLIP = 8;
/** A feature that never varied on the hold-out is given this share of the median deviation of those that do. */
const CONSTANT_SHARE = 0.1;

/** How rows are brought to the scale of the golden hold-out. */
export interface Standard {
  readonly width: number;
  readonly means: Float64Array;
  /** 1 / deviation. */
  readonly inverse: Float64Array;
}

export function standardOf(features: readonly { readonly mean: number; readonly sd: number }[]): Standard {
  const varying = features.map(({ sd }) => sd).filter((sd) => sd > 0);
  varying.sort((one, other) => one - other);
  const least = CONSTANT_SHARE * (varying[varying.length >> 1] ?? 1);
  return {
    width: features.length,
    means: Float64Array.from(features, ({ mean }) => mean),
    inverse: Float64Array.from(features, ({ sd }) => 1 / (sd > 0 ? sd : least)),
  };
}

/** Writes the row in deviations from the mean, clipped at ±CLIP; a value that is not a number counts as +CLIP. */
export function standardise(standard: Standard, row: ArrayLike<number>, out: Float64Array): void {
  const { width, means, inverse } = standard;
  for (let at = 0; at < width; at++) {
    const raw = ((row[at] ?? NaN) - (means[at] ?? 0)) * (inverse[at] ?? 0);
    out[at] = raw <= CLIP ? (raw >= -CLIP ? raw : -CLIP) : CLIP;
  }
}
