import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { PROFILE_QUANTILES, type StreamProfile, type Tailed } from '../../domain/contracts/golden.ts';
import {
  KEPT_PER_CLASS,
  rarityOf,
  shared,
  weigh,
  type FeatureShares,
  type Rarity,
} from '../../domain/profile/rarity.ts';
import { energy, entropy } from '../../domain/profile/scores.ts';
import { apart, hashingOf, nearest, NEIGHBOURS, sketch, SKETCH_WIDTH } from '../../domain/profile/sketch.ts';
import { standardise, standardOf, type Standard } from '../../domain/profile/standard.ts';
import { cholesky } from '../poison/cholesky.ts';
import { deviation, mean, quantileOfSorted, sortedCopy } from '../statistics/description.ts';
import type { LabelledAnswers } from './loss.ts';

type Described = { mean: number; sd: number; quantiles: number[] };

/** Records of the hold-out that are looked at, its first: pairs of wide records cost, and the order of a data set carries no meaning. */
const MOST_RECORDS = 10_000;
/** Rows of the hold-out whose sketches are kept. */
const REFERENCE = 128;
/** The part of the hold-out that a law of the tail is fitted to; at most 64 values. */
const TAIL_SHARE = 0.1;
const TAIL_MOST = 64;
/** Of a feature's deviations, as the bets on its mean see them. */
const CLIPPED_AT = 3;

/**
 * How the records of the hold-out lie to each other and to the model, for the sentinels. `scores` are the model's own, row-major; undefined where the
 * hold-out is too small to say anything (fewer than two records).
 */
export function streamProfileOf(
  all: DatasetColumns,
  features: readonly { mean: number; sd: number; quantiles: readonly number[] }[],
  answers: LabelledAnswers,
  scores: Float32Array,
): StreamProfile | undefined {
  const count = Math.min(MOST_RECORDS, all.count);
  const holdout = { ...all, count };
  if (count < 2) return undefined;
  const standard = standardOf(features);
  const shares = features.map(({ quantiles }, at) => sharesOf(quantiles, column(holdout, at)));
  const rarity = rarityOf(
    shares.map((share, at): FeatureShares => ({ ...share, quantiles: features[at]?.quantiles ?? [] })),
    count,
  );
  const weights = new Float32Array(holdout.width);
  const seed = seedOf(holdout.features);
  const sketches = sketched(holdout, standard, seed);
  const reference = sketches.subarray(0, Math.min(REFERENCE, count) * SKETCH_WIDTH);
  const { classes, probabilities, predicted } = answers;
  const of = (table: Float32Array, row: number): Float32Array => table.subarray(row * classes, (row + 1) * classes);
  const each = (figure: (row: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, at) => figure(at));
  const energies = Array.from({ length: count }, (_, row) => energy(of(scores, row)));
  const right = each((row) => (predicted[row] === holdout.labels[row] ? 1 : 0));
  const gaps = each((row) => (probabilities[row * classes + (predicted[row] ?? 0)] ?? 0) - (right[row] ?? 0));
  const among = each((row) => {
    const from = Math.max(0, row - NEIGHBOURS);
    const before = sketches.subarray(from * SKETCH_WIDTH, row * SKETCH_WIDTH);
    return nearest(own(sketches, row), before, row - from, 'copies');
  });
  return {
    count,
    features: shares.map((share, at) => ({
      ...share,
      clipped: clippedOf(column(holdout, at), standard.means[at] ?? 0, standard.inverse[at] ?? 0),
    })),
    entropy: described(each((row) => entropy(of(probabilities, row)))),
    energy: energies.includes(null) ? null : tailed(Float64Array.from(energies, Number)),
    rarity: tailed(each((row) => weigh(rarity, rowOf(holdout, row), weights))),
    joint: tailed(jointDistances(sketches, count)),
    nearest: tailed(
      each((row) => nearest(own(sketches, row), without(reference, row), restOf(reference, row), 'none')),
    ),
    shared: tailed(sharedThings(holdout, predicted, classes, rarity)),
    sketch: {
      seed,
      reference: Array.from({ length: reference.length / SKETCH_WIDTH }, (_, row) =>
        Array.from(own(reference, row), short),
      ),
      ...lawOf(sketches, span(0, count)),
      among: described(among.filter(Number.isFinite)),
    },
    calibration: { mean: mean(gaps), sd: deviation(gaps) },
    accuracy: mean(right),
  };
}

function sketched(holdout: DatasetColumns, standard: Standard, seed: number): Float32Array {
  const { count, width } = holdout;
  const hashing = hashingOf(seed, width);
  const z = new Float64Array(width);
  const sketches = new Float32Array(count * SKETCH_WIDTH);
  for (let row = 0; row < count; row++) {
    standardise(standard, rowOf(holdout, row), z);
    sketch(hashing, z, own(sketches, row));
  }
  return sketches;
}

/** Added to every variance, as a share of their mean: sums that never varied have no deviations to be measured in. */
const RIDGE = 0.02;

/** Mean and lower factor of the covariance of these rows' sketches. */
function lawOf(sketches: Float32Array, rows: readonly number[]): { centre: number[]; factor: number[] } {
  const centre = new Float64Array(SKETCH_WIDTH);
  const covariance = new Float64Array(SKETCH_WIDTH * SKETCH_WIDTH);
  for (const row of rows)
    own(sketches, row).forEach((value, at) => (centre[at] = (centre[at] ?? 0) + value / rows.length));
  for (const row of rows) {
    const gaps = Float64Array.from(own(sketches, row), (value, at) => value - (centre[at] ?? 0));
    for (let i = 0; i < SKETCH_WIDTH; i++)
      for (let j = 0; j <= i; j++) {
        const to = i * SKETCH_WIDTH + j;
        covariance[to] = (covariance[to] ?? 0) + ((gaps[i] ?? 0) * (gaps[j] ?? 0)) / rows.length;
      }
  }
  const variances = Array.from(centre, (_, at) => covariance[at * (SKETCH_WIDTH + 1)] ?? 0);
  const ridge = RIDGE * mean(variances) || 1;
  for (let at = 0; at < SKETCH_WIDTH; at++) covariance[at * (SKETCH_WIDTH + 1)] = (variances[at] ?? 0) + ridge;
  // With a ridge it is positive definite; what stands above the diagonal says nothing.
  const factor = cholesky(covariance, SKETCH_WIDTH) ?? new Float64Array();
  return {
    centre: Array.from(centre, short),
    factor: Array.from(factor, (value, at) => (at % SKETCH_WIDTH > Math.floor(at / SKETCH_WIDTH) ? 0 : short(value))),
  };
}

/** Each half is judged by the law of the other: a record that is part of the mean is not far from it. */
function jointDistances(sketches: Float32Array, count: number): Float64Array {
  const middle = count >> 1;
  const halves = [span(0, middle), span(middle, count)] as const;
  const laws = [lawOf(sketches, halves[1]), lawOf(sketches, halves[0])] as const;
  const scratch = new Float64Array(SKETCH_WIDTH);
  const found = new Float64Array(count);
  halves.forEach((rows, at) => {
    const law = laws[at];
    for (const row of rows) found[row] = law ? apart(law, own(sketches, row), scratch) : 0;
  });
  return found;
}

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

function rowOf({ width, features }: DatasetColumns, row: number): Float32Array {
  return features.subarray(row * width, (row + 1) * width);
}

function own(sketches: Float32Array, row: number): Float32Array {
  return sketches.subarray(row * SKETCH_WIDTH, (row + 1) * SKETCH_WIDTH);
}

/** The reference without this row, so that a record is not found to be near itself. */
function without(reference: Float32Array, row: number): Float32Array {
  if (row * SKETCH_WIDTH >= reference.length) return reference;
  const rest = reference.slice();
  rest.copyWithin(row * SKETCH_WIDTH, (row + 1) * SKETCH_WIDTH);
  return rest;
}

function restOf(reference: Float32Array, row: number): number {
  const rows = reference.length / SKETCH_WIDTH;
  return row < rows ? rows - 1 : rows;
}

/** For every record the rarest thing it shares with 32 others of the same answer, those before it in a circle: as many as the sentinel will keep. */
function sharedThings(holdout: DatasetColumns, predicted: Int32Array, classes: number, rarity: Rarity): Float64Array {
  const { count, width } = holdout;
  const found = new Float64Array(count);
  const weights = new Float32Array(width);
  const kept = new Float32Array(KEPT_PER_CLASS * width);
  for (let answer = 0; answer < classes; answer++) {
    const own = span(0, count).filter((row) => predicted[row] === answer);
    const others = Math.min(KEPT_PER_CLASS, own.length - 1);
    own.forEach((row, at) => {
      for (let back = 1; back <= others; back++)
        kept.set(rowOf(holdout, own[(at - back + own.length) % own.length] ?? 0), (back - 1) * width);
      const values = rowOf(holdout, row);
      found[row] = shared(values, weights, weigh(rarity, values, weights), kept, Math.max(0, others));
    });
  }
  return found;
}

function sharesOf(quantiles: readonly number[], values: Float64Array): { atMost: number[]; atLeast: number[] } {
  const count = (test: (value: number) => boolean): number => values.reduce((n, value) => n + (test(value) ? 1 : 0), 0);
  // As the stream is compared: in float32.
  const at = quantiles.map(Math.fround);
  return {
    atMost: at.map((limit) => count((value) => value <= limit) / values.length),
    atLeast: at.map((limit) => count((value) => value >= limit) / values.length),
  };
}

function clippedOf(values: Float64Array, centre: number, inverse: number): { mean: number; sd: number } {
  const z = values.map((value) => Math.max(-CLIPPED_AT, Math.min(CLIPPED_AT, (value - centre) * inverse)));
  return { mean: mean(z), sd: deviation(z) };
}

function column({ count, width, features }: DatasetColumns, at: number): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => features[row * width + at] ?? 0);
}

function described(values: Float64Array): Described {
  const sorted = sortedCopy(values);
  const quantiles = PROFILE_QUANTILES.map((p) => (sorted.length === 0 ? 0 : quantileOfSorted(sorted, p)));
  return { mean: mean(values), sd: deviation(values), quantiles };
}

function tailed(values: Float64Array): Tailed {
  const sorted = sortedCopy(values);
  const kept = Math.max(1, Math.min(TAIL_MOST, Math.floor(TAIL_SHARE * sorted.length)));
  return {
    quantiles: PROFILE_QUANTILES.map((p) => quantileOfSorted(sorted, p)),
    tail: Array.from(sorted.subarray(sorted.length - kept)),
  };
}

/** FNV-1a over the bytes of the hold-out: the same profile twice, and a seed that only who has the hold-out can know. */
function seedOf(features: Float32Array): number {
  let hash = 0x811c9dc5;
  const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Six digits are more than a distance needs. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}
