/** What a row must know of one feature: the quantiles of the hold-out, and the shares at most and at least as large as each of them. */
export interface FeatureShares {
  readonly quantiles: readonly number[];
  readonly atMost: readonly number[];
  readonly atLeast: readonly number[];
}

/** How rare the values of a row are, feature by feature. Row-major [features × quantiles]. */
export interface Rarity {
  readonly width: number;
  readonly steps: number;
  readonly quantiles: Float32Array;
  /** −ln of the smaller tail share at a value that lies at, below or above each quantile: [features × (2 · steps + 1)]. */
  readonly weights: Float32Array;
}

/** Rows that were answered with the same class and are kept to be compared with. */
export const KEPT_PER_CLASS = 32;
/** Weights up to this one are common (e⁻² of the hold-out lies as far out): what is common is shared by chance. */
const COMMON = 2;
/** Two rows that share more of their weight than this are copies of each other and carry nothing that one could have put on the other. */
const COPY_SHARE = 0.8;

/**
 * Shares below this many records are told as this many: the records that the shares were counted on are themselves among them, and those to come
 * are not.
 */
const LEAST_RECORDS = 5;

/** `count` bounds what can be called rare: a value that none of n records had weighs ln(n / 5). */
export function rarityOf(features: readonly FeatureShares[], count: number): Rarity {
  const steps = features[0]?.quantiles.length ?? 0;
  const quantiles = new Float32Array(features.length * steps);
  const weights = new Float32Array(features.length * (2 * steps + 1));
  const least = Math.min(1, LEAST_RECORDS / count);
  features.forEach((feature, at) => {
    quantiles.set(feature.quantiles, at * steps);
    const place = (index: number, low: number, high: number): void => {
      weights[at * (2 * steps + 1) + index] = -Math.log(Math.min(1, Math.max(least, Math.min(low, high))));
    };
    for (let step = 0; step < steps; step++) {
      // On the quantile itself an atom counts to both sides, so that what is common weighs nothing.
      place(2 * step + 1, feature.atMost[step] ?? 1, feature.atLeast[step] ?? 1);
      const below = step === 0 ? 0 : (feature.atMost[step] ?? 1) - pointShare(feature, step);
      place(2 * step, below, step === 0 ? 1 : 1 - (feature.atMost[step - 1] ?? 0));
    }
    place(2 * steps, 1, 0);
  });
  return { width: features.length, steps, quantiles, weights };
}

/** The share of records that have exactly this quantile's value. */
function pointShare({ atMost, atLeast }: FeatureShares, step: number): number {
  return Math.max(0, (atMost[step] ?? 0) + (atLeast[step] ?? 0) - 1);
}

/** Writes the weight of every value of the row; answers their sum. A value that is not a number is as rare as can be. */
export function weigh({ width, steps, quantiles, weights }: Rarity, row: ArrayLike<number>, out: Float32Array): number {
  let total = 0;
  for (let at = 0; at < width; at++) {
    const value = row[at] ?? NaN;
    const base = at * steps;
    let index = 0;
    while (index < steps && value > (quantiles[base + index] ?? 0)) index++;
    const on = index < steps && value === quantiles[base + index];
    const weight = weights[at * (2 * steps + 1) + 2 * index + (on ? 1 : 0)] ?? 0;
    out[at] = weight;
    total += weight;
  }
  return total;
}

/**
 * The rarest thing that the row has in common with one of the kept rows: over the features in which both are exactly equal, the sum of what the
 * weights are above the common, the rarest of them left out. A sticker is the same on every picture it is put on, and pictures are not. `kept` are
 * `rows` rows one after the other.
 */
export function shared(
  row: ArrayLike<number>,
  weights: Float32Array,
  total: number,
  kept: Float32Array,
  rows: number,
): number {
  const width = weights.length;
  let most = 0;
  for (let other = 0, base = 0; other < rows; other++, base += width) {
    let [sum, rare, rarest] = [0, 0, 0];
    for (let at = 0; at < width; at++) {
      if (row[at] !== kept[base + at]) continue;
      const weight = weights[at] ?? 0;
      sum += weight;
      if (weight <= COMMON) continue;
      rare += weight - COMMON;
      if (weight - COMMON > rarest) rarest = weight - COMMON;
    }
    // One feature that is the same everywhere is a feature that has moved; something that is put on an input covers more.
    rare -= rarest;
    if (rare > most && sum <= COPY_SHARE * total) most = rare;
  }
  return most;
}
