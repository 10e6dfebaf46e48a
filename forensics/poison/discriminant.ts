import { backward, cholesky, forward } from './cholesky.ts';

// Named here because they run for every number.
const { max } = Math;

/** Numbers, row-major [rows × width]. */
export interface Numbers {
  readonly values: ArrayLike<number>;
  readonly width: number;
}

/**
 * Direction along which two guessed groups part best (R. A. Fisher 1936), one weight per column: Σ⁻¹ (mean of the upper − mean of the lower), Σ
 * the covariance within the groups. `shrinkage` of the mean variance is added to each variance (J. H. Friedman, JASA 84 (1989)), which few rows
 * of many columns need. null where one group is empty.
 */
export function discriminant(
  { values, width }: Numbers,
  upper: (row: number) => boolean,
  shrinkage: number,
): Float64Array | null {
  const count = values.length / width;
  const means = [new Float64Array(width), new Float64Array(width)] as const;
  const sizes = [0, 0];
  const side = (row: number) => (upper(row) ? 1 : 0);
  for (let row = 0; row < count; row++) {
    const mean = means[side(row)];
    sizes[side(row)] = (sizes[side(row)] ?? 0) + 1;
    for (let j = 0; j < width; j++) mean[j] = (mean[j] ?? 0) + (values[row * width + j] ?? 0);
  }
  const [low, high] = [sizes[0] ?? 0, sizes[1] ?? 0];
  if (low === 0 || high === 0) return null;
  means[0].forEach((sum, j) => (means[0][j] = sum / low));
  means[1].forEach((sum, j) => (means[1][j] = sum / high));
  const covariance = new Float64Array(width * width);
  const own = new Float64Array(width);
  for (let row = 0; row < count; row++) {
    const mean = means[side(row)];
    for (let j = 0; j < width; j++) own[j] = (values[row * width + j] ?? 0) - (mean[j] ?? 0);
    for (let i = 0; i < width; i++)
      for (let j = 0; j <= i; j++)
        covariance[i * width + j] = (covariance[i * width + j] ?? 0) + ((own[i] ?? 0) * (own[j] ?? 0)) / count;
  }
  let trace = 0;
  for (let i = 0; i < width; i++) trace += covariance[i * width + i] ?? 0;
  const added = max(Number.EPSILON, (shrinkage * trace) / width);
  for (let i = 0; i < width; i++) covariance[i * width + i] = (covariance[i * width + i] ?? 0) + added;
  const factor = cholesky(covariance, width);
  if (!factor) return null;
  const weights = means[1].map((mean, j) => mean - (means[0][j] ?? 0));
  forward(factor, width, weights);
  backward(factor, width, weights);
  return weights;
}

/** Each row along a direction. */
export function along({ values, width }: Numbers, weights: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: values.length / width }, (_, row) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += (values[row * width + j] ?? 0) * (weights[j] ?? 0);
    return sum;
  });
}
