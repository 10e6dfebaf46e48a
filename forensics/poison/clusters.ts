import type { Random } from '../statistics/bootstrap.ts';

/** Rows [rows.length × width] out of a row-major table. */
export interface Points {
  readonly features: Float32Array;
  readonly width: number;
  readonly rows: readonly number[];
}

// Named here because they run for every record of every round.
const { floor, max, min } = Math;
const FAR = Infinity;

const STARTS = 2;
const ROUNDS = 20;

/**
 * k-means (S. Lloyd 1982) from k-means++ starts (D. Arthur and S. Vassilvitskii, SODA 2007), the tightest of two. Cluster of each row, in
 * order.
 */
export function kMeans(points: Points, k: number, random: Random): Int32Array {
  let best: { labels: Int32Array; spread: number } | null = null;
  for (let start = 0; start < STARTS; start++) {
    const found = lloyd(points, seeded(points, k, random), k);
    if (best === null || found.spread < best.spread) best = found;
  }
  return best?.labels ?? new Int32Array(points.rows.length);
}

function lloyd(points: Points, centres: Float64Array, k: number): { labels: Int32Array; spread: number } {
  const { features, width, rows } = points;
  const labels = new Int32Array(rows.length).fill(-1);
  let spread = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let moved = false;
    spread = 0;
    rows.forEach((row, at) => {
      let nearest = 0;
      let least = FAR;
      for (let cluster = 0; cluster < k; cluster++) {
        const distance = distanceTo(points, row, centres, cluster);
        if (distance < least) [nearest, least] = [cluster, distance];
      }
      spread += least;
      moved ||= labels[at] !== nearest;
      labels[at] = nearest;
    });
    if (!moved) break;
    centres.fill(0);
    const sizes = new Float64Array(k);
    rows.forEach((row, at) => {
      const cluster = labels[at] ?? 0;
      sizes[cluster] = (sizes[cluster] ?? 0) + 1;
      for (let j = 0; j < width; j++)
        centres[cluster * width + j] = (centres[cluster * width + j] ?? 0) + (features[row * width + j] ?? 0);
    });
    for (let at = 0; at < centres.length; at++)
      centres[at] = (centres[at] ?? 0) / max(1, sizes[floor(at / width)] ?? 1);
  }
  return { labels, spread };
}

/** Each next centre is a record drawn by its squared distance to the nearest one so far. */
function seeded(points: Points, k: number, random: Random): Float64Array {
  const { features, width, rows } = points;
  const centres = new Float64Array(k * width);
  const nearest = new Float64Array(rows.length).fill(Infinity);
  let chosen = rows[floor(random() * rows.length)] ?? 0;
  for (let cluster = 0; cluster < k; cluster++) {
    centres.set(features.subarray(chosen * width, (chosen + 1) * width), cluster * width);
    let total = 0;
    rows.forEach((row, at) => {
      const distance = min(nearest[at] ?? 0, distanceTo(points, row, centres, cluster));
      nearest[at] = distance;
      total += distance;
    });
    let left = random() * total;
    chosen = rows[nearest.findIndex((distance) => (left -= distance) <= 0)] ?? rows[0] ?? 0;
  }
  return centres;
}

function distanceTo({ features, width }: Points, row: number, centres: Float64Array, cluster: number): number {
  let sum = 0;
  for (let j = 0; j < width; j++) {
    const difference = (features[row * width + j] ?? 0) - (centres[cluster * width + j] ?? 0);
    sum += difference * difference;
  }
  return sum;
}
