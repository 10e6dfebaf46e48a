import { createRandom, createNormal } from '../../../forensics/statistics/bootstrap.ts';
import type { Labels, Probabilities } from '../../../forensics/labels/arrays.ts';

export interface NoisyArrays {
  readonly p: Probabilities;
  readonly labels: Labels;
  readonly wrong: Uint8Array;
}

/**
 * Records of known truth: the score of the true class leads by `lead` standard deviations, labels go through symmetric noise at `rate`,
 * and the probabilities are those of a model that has learned that noise.
 */
export function noisyArrays(wish: {
  records: number;
  classes: number;
  rate: number;
  lead: number;
  seed: number;
}): NoisyArrays {
  const { records, classes, rate, lead, seed } = wish;
  const random = createRandom(seed);
  const normal = createNormal(random);
  const values = new Float64Array(records * classes);
  const labels = new Int32Array(records);
  const wrong = new Uint8Array(records);
  for (let record = 0; record < records; record++) {
    const truth = Math.floor(random() * classes);
    // The exact posterior of unit Gaussians whose true class is shifted by `lead`.
    const odds = Array.from({ length: classes }, (_, k) => Math.exp(lead * (normal() + (k === truth ? lead : 0))));
    const sum = odds.reduce((total, value) => total + value, 0);
    for (let k = 0; k < classes; k++)
      values[record * classes + k] =
        (1 - rate) * ((odds[k] ?? 0) / sum) + (rate / (classes - 1)) * (1 - (odds[k] ?? 0) / sum);
    const flipped = random() < rate;
    wrong[record] = Number(flipped);
    labels[record] = flipped ? (truth + 1 + Math.floor(random() * (classes - 1))) % classes : truth;
  }
  return { p: { values, records, classes }, labels, wrong };
}

/** F1 of the records at or above a threshold. */
export function f1At(taint: Float64Array, threshold: number, wrong: Uint8Array): number {
  let found = 0;
  let flagged = 0;
  let all = 0;
  for (let record = 0; record < wrong.length; record++) {
    const flag = Number((taint[record] ?? 0) >= threshold);
    flagged += flag;
    all += wrong[record] ?? 0;
    found += flag * (wrong[record] ?? 0);
  }
  return flagged + all === 0 ? 1 : (2 * found) / (flagged + all);
}

/** The plainest filter: 1 where the most probable class is not the given one. */
export function disagreement({ values, records, classes }: Probabilities, labels: Labels): Float64Array {
  return Float64Array.from({ length: records }, (_, record) => {
    const row = values.subarray(record * classes, (record + 1) * classes);
    return Number(row.indexOf(Math.max(...row)) !== labels[record]);
  });
}
