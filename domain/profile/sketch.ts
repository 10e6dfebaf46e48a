/** Numbers that a row is folded to; distances between rows survive to within some 1/√32. */
export const SKETCH_WIDTH = 32;
/** How many earlier rows a row is compared with, on the hold-out and on the stream: a nearest of more is nearer. */
export const NEIGHBOURS = 32;

/**
 * Feature hashing (Weinberger et al., ICML 2009): every feature is added with a random sign to one of 32 sums, so that squared distances are kept
 * in expectation at the cost of one addition per feature. Who knows the seed can hide a change in it: it is the profile's secret.
 */
export interface Hashing {
  readonly bucket: Uint8Array;
  readonly sign: Int8Array;
}

export function hashingOf(seed: number, width: number): Hashing {
  const bucket = new Uint8Array(width);
  const sign = new Int8Array(width);
  let state = seed >>> 0;
  for (let at = 0; at < width; at++) {
    // splitmix32
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    mixed ^= mixed >>> 15;
    bucket[at] = mixed & (SKETCH_WIDTH - 1);
    sign[at] = mixed & 0x10000 ? 1 : -1;
  }
  return { bucket, sign };
}

export function sketch({ bucket, sign }: Hashing, z: Float64Array, out: Float32Array): void {
  out.fill(0);
  for (let at = 0; at < bucket.length; at++) {
    const to = bucket[at] ?? 0;
    out[to] = (out[to] ?? 0) + (sign[at] ?? 0) * (z[at] ?? 0);
  }
}

/**
 * Squared distance to the nearest of `rows` sketches that lie one after the other; Infinity where there are none. Those at distance zero are
 * passed over where `besides` says so: a repeated question is a retry or a probe of health, not a search.
 */
export function nearest(own: Float32Array, among: Float32Array, rows: number, besides: 'copies' | 'none'): number {
  let best = Infinity;
  for (let row = 0, base = 0; row < rows; row++, base += SKETCH_WIDTH) {
    let sum = 0;
    for (let at = 0; at < SKETCH_WIDTH && sum < best; at += 8) {
      for (let k = at; k < at + 8; k++) {
        const gap = (own[k] ?? 0) - (among[base + k] ?? 0);
        sum += gap * gap;
      }
    }
    if (sum < best && (besides === 'none' || sum > 0)) best = sum;
  }
  return best;
}

/** How sketches of the hold-out lie: their centre, and the lower factor L of their covariance L Lᵀ, row-major. */
export interface SketchLaw {
  readonly centre: ArrayLike<number>;
  readonly factor: ArrayLike<number>;
}

/**
 * Squared Mahalanobis distance |L⁻¹(s − centre)|²: high where sums that go together on the hold-out do not. It sees what no single feature
 * tells. `scratch` has SKETCH_WIDTH places.
 */
export function apart({ centre, factor }: SketchLaw, own: Float32Array, scratch: Float64Array): number {
  let distance = 0;
  for (let row = 0; row < SKETCH_WIDTH; row++) {
    const base = row * SKETCH_WIDTH;
    let sum = (own[row] ?? 0) - (centre[row] ?? 0);
    for (let at = 0; at < row; at++) sum -= (factor[base + at] ?? 0) * (scratch[at] ?? 0);
    const value = sum / (factor[base + row] ?? 1);
    scratch[row] = value;
    distance += value * value;
  }
  return distance;
}
