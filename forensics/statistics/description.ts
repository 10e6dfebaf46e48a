/** Figures that describe a sample. Arrays may be of any numeric kind; sums are taken in float64. */

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan, Am. Stat. 50 (1996) 361–365), as NumPy's default. */
export function quantiles(values: ArrayLike<number>, at: readonly number[]): number[] {
  const sorted = sortedCopy(values);
  return at.map((p) => quantileOfSorted(sorted, p));
}

export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return NaN;
  const position = (sorted.length - 1) * p;
  const below = Math.floor(position);
  const low = sorted[below] ?? NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? NaN;
  // Where both are equal (infinities too) there is nothing to interpolate.
  return low === high ? low : low + (high - low) * (position - below);
}

export function sortedCopy(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] ?? 0;
  return values.length === 0 ? 0 : sum / values.length;
}

/** Standard deviation of the sample itself (divided by n). */
export function deviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += ((values[index] ?? 0) - centre) ** 2;
  return values.length === 0 ? 0 : Math.sqrt(sum / values.length);
}

/** Euclidean norm. */
export function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += (values[index] ?? 0) ** 2;
  return Math.sqrt(sum);
}
