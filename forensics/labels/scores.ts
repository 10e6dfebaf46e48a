import type { Labels, Probabilities } from './arrays.ts';

/** Zeros of a forest are no proof: probabilities are mixed with this much of the uniform distribution before their logarithm is taken. */
const FLOOR = 1e-3;

/** Centred log-probabilities of some records, row-major [labels.length × classes], and their given labels. */
export interface Scores {
  readonly values: Float64Array;
  readonly labels: Labels;
  /** What the model itself gives the given label, [labels.length]. */
  readonly chance: Float64Array;
  readonly classes: number;
}

/**
 * log((1−ε)p + ε/K) less its mean over the row, for record `record`, written to `into` from `offset`. Answers that mean, so that
 * exp(score + mean) is a probability again.
 */
export function writeScores(p: Probabilities, record: number, into: Float64Array, offset: number): number {
  const { values, classes } = p;
  const start = record * classes;
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += Math.max(0, values[start + k] ?? 0);
  const scale = (1 - FLOOR) / sum;
  let mean = 0;
  for (let k = 0; k < classes; k++) {
    const score = Math.log(Math.max(0, values[start + k] ?? 0) * scale + FLOOR / classes);
    into[offset + k] = score;
    mean += score;
  }
  mean /= classes;
  for (let k = 0; k < classes; k++) into[offset + k] = (into[offset + k] ?? 0) - mean;
  return mean;
}

/** Numbers a fit looks at: more records would not move a few hundred parameters, and would cost memory and seconds. */
const FIT_ENTRIES = 500_000;
const FEWEST_RECORDS = 5_000;

/** The records a fit looks at: all of them, or as many as the budget allows, spread over the file by a hash of their index. */
export function scoresForFit(p: Probabilities, labels: Labels): Scores {
  const wanted = Math.max(FEWEST_RECORDS, Math.floor(FIT_ENTRIES / p.classes));
  const chosen = wanted >= p.records ? null : spread(p.records, wanted);
  const count = chosen?.length ?? p.records;
  const values = new Float64Array(count * p.classes);
  const given = new Int32Array(count);
  const chance = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const record = chosen?.[row] ?? row;
    const label = labels[record] ?? 0;
    const mean = writeScores(p, record, values, row * p.classes);
    given[row] = label;
    chance[row] = Math.exp((values[row * p.classes + label] ?? 0) + mean);
  }
  return { values, labels: given, chance, classes: p.classes };
}

/** About `wanted` of 0..records−1. A hash rather than a stride: files are often sorted, or interleave classes. */
function spread(records: number, wanted: number): Int32Array {
  const limit = (wanted / records) * 2 ** 32;
  const chosen: number[] = [];
  for (let record = 0; record < records; record++) if (mixed(record) < limit) chosen.push(record);
  return Int32Array.from(chosen);
}

/** The finaliser of MurmurHash3 (A. Appleby): every bit of the index decides every bit of the result. */
function mixed(index: number): number {
  let hash = index + 1;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
