import { createNormal, type Random } from '../statistics/bootstrap.ts';

/** Distances of so many random directions are within a fifth of the true ones; enough for neighbours and clusters. */
const DIRECTIONS = 64;

/**
 * The records along random directions, scaled so that squared distances are kept on average (W. Johnson and J. Lindenstrauss 1984). Records of
 * no more features than that come back as they are.
 */
export function projected(
  features: Float32Array,
  count: number,
  width: number,
  random: Random,
): { readonly features: Float32Array; readonly width: number } {
  if (width <= DIRECTIONS) return { features, width };
  const normal = createNormal(random);
  const directions = Float64Array.from({ length: DIRECTIONS * width }, () => normal() / Math.sqrt(DIRECTIONS));
  const out = new Float32Array(count * DIRECTIONS);
  for (let row = 0; row < count; row++) {
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      let sum = 0;
      for (let j = 0; j < width; j++)
        sum += (features[row * width + j] ?? 0) * (directions[direction * width + j] ?? 0);
      out[row * DIRECTIONS + direction] = sum;
    }
  }
  return { features: out, width: DIRECTIONS };
}
