import type { Random } from '../statistics/bootstrap.ts';
import { cholesky } from './cholesky.ts';
import { kMeans } from './clusters.ts';
import { drawn, type View } from './kernel-judge.ts';

// Named here because they run for every patch of every record.
const { floor, max, min, sqrt } = Math;

/** Smaller pictures than this have no patches worth counting. */
const LEAST_SIDE = 6;
const FILTERS = 64;
/** Each half of the height and of the width is summed up by itself. */
const HALVES = 2;
const SAMPLED_RECORDS = 300;
const SAMPLED_PATCHES = 3000;
/** Added to the variance of a patch and to the eigenvalues of all patches, for inputs of about unit range (Coates and Ng 2012, §3). */
const LEAST_CONTRAST = 0.01;
const LEAST_VARIANCE = 0.1;
/** Of the mean deviation of all features: keeps one that is always the same from being blown up. */
const LEAST_DEVIATION = 0.01;

/** How patches are cut out of a record [channels, height, width]. */
interface Cut {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly side: number;
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Pictures as a single-layer network without labels sees them: patches, normalised and whitened, by their nearness to 64 typical ones, summed
 * over each quarter (A. Coates, H. Lee, A. Ng, AISTATS 2011: k-means, triangle activation). Nothing here was learned from a label, so what was
 * planted teaches it nothing about classes. null where the records are no pictures [C, H, W] of at least 6 × 6.
 */
export function patchView(
  features: Float32Array,
  count: number,
  shape: readonly number[],
  random: Random,
): View | null {
  const cut = cutOf(shape);
  if (!cut) return null;
  const typical = dictionary(features, count, cut, random);
  const raw = described(features, typical, cut);
  const size = raw.length / count;
  const { centre, scale } = moments(raw, size);
  const standard = (table: Float32Array) => {
    for (let at = 0; at < table.length; at++)
      table[at] = ((table[at] ?? 0) - (centre[at % size] ?? 0)) / (scale[at % size] ?? 1);
    return table;
  };
  return {
    table: { features: standard(raw), width: size },
    of: (others) => standard(described(others, typical, cut)),
  };
}

function cutOf(shape: readonly number[]): Cut | null {
  const [channels = 0, height = 0, width = 0] = shape.length === 2 ? [1, ...shape] : shape;
  if (shape.length < 2 || shape.length > 3 || channels > 4 || min(height, width) < LEAST_SIDE) return null;
  const least = min(height, width);
  const side = least <= 8 ? 3 : 5;
  const stride = least <= 16 ? 1 : floor(least / 14);
  const steps = (length: number) => floor((length - side) / stride) + 1;
  return { channels, height, width, side, stride, rows: steps(height), columns: steps(width) };
}

/** Patches in whitened coordinates: their mean, the factor of their covariance, and the typical ones [FILTERS × size]. */
interface Dictionary {
  readonly mean: Float64Array;
  readonly factor: Float64Array;
  readonly typical: Float64Array;
  readonly size: number;
}

function dictionary(features: Float32Array, count: number, cut: Cut, random: Random): Dictionary {
  const size = cut.channels * cut.side * cut.side;
  const width = cut.channels * cut.height * cut.width;
  const records = drawn(count, min(SAMPLED_RECORDS, count), random);
  const sample = new Float32Array(SAMPLED_PATCHES * size);
  const patch = new Float64Array(size);
  for (let at = 0; at < SAMPLED_PATCHES; at++) {
    const record = records[at % records.length] ?? 0;
    patchAt(features, record * width, cut, floor(random() * cut.rows), floor(random() * cut.columns), patch);
    sample.set(patch, at * size);
  }
  const mean = new Float64Array(size);
  sample.forEach((value, at) => (mean[at % size] = (mean[at % size] ?? 0) + value / SAMPLED_PATCHES));
  const covariance = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let at = 0; at < SAMPLED_PATCHES; at++)
        sum += ((sample[at * size + i] ?? 0) - (mean[i] ?? 0)) * ((sample[at * size + j] ?? 0) - (mean[j] ?? 0));
      covariance[i * size + j] = sum / SAMPLED_PATCHES + (i === j ? LEAST_VARIANCE : 0);
    }
  }
  const factor = cholesky(covariance, size);
  if (!factor) throw new Error('the added variance keeps the covariance positive definite');
  for (let at = 0; at < SAMPLED_PATCHES; at++) {
    patch.set(sample.subarray(at * size, (at + 1) * size));
    whiten(patch, { mean, factor, size });
    sample.set(patch, at * size);
  }
  const rows = Array.from({ length: SAMPLED_PATCHES }, (_, row) => row);
  const clusters = kMeans({ features: sample, width: size, rows }, FILTERS, random);
  const typical = new Float64Array(FILTERS * size);
  const sizes = new Float64Array(FILTERS);
  clusters.forEach((cluster, row) => {
    sizes[cluster] = (sizes[cluster] ?? 0) + 1;
    for (let j = 0; j < size; j++)
      typical[cluster * size + j] = (typical[cluster * size + j] ?? 0) + (sample[row * size + j] ?? 0);
  });
  for (let at = 0; at < typical.length; at++) typical[at] = (typical[at] ?? 0) / max(1, sizes[floor(at / size)] ?? 1);
  return { mean, factor, typical, size };
}

/** One patch, of mean 0 and variance near 1, channel by channel and row by row. */
function patchAt(
  features: Float32Array,
  from: number,
  { channels, height, width, side, stride }: Cut,
  row: number,
  column: number,
  out: Float64Array,
): void {
  let at = 0;
  let sum = 0;
  let squares = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let down = 0; down < side; down++) {
      const start = from + (channel * height + row * stride + down) * width + column * stride;
      for (let right = 0; right < side; right++) {
        const value = features[start + right] ?? 0;
        out[at++] = value;
        sum += value;
        squares += value * value;
      }
    }
  }
  const centre = sum / at;
  const scale = 1 / sqrt(max(0, squares / at - centre * centre) + LEAST_CONTRAST);
  for (let j = 0; j < at; j++) out[j] = ((out[j] ?? 0) - centre) * scale;
}

/** L⁻¹ (patch − mean), written over the patch: distances are then those of Mahalanobis. */
function whiten(patch: Float64Array, { mean, factor, size }: Pick<Dictionary, 'mean' | 'factor' | 'size'>): void {
  for (let i = 0; i < size; i++) {
    let sum = (patch[i] ?? 0) - (mean[i] ?? 0);
    for (let k = 0; k < i; k++) sum -= (factor[i * size + k] ?? 0) * (patch[k] ?? 0);
    patch[i] = sum / (factor[i * size + i] ?? 1);
  }
}

/** Mean triangle activation of every typical patch in every quarter: [records × (HALVES² · FILTERS)]. */
function described(features: Float32Array, { mean, factor, typical, size }: Dictionary, cut: Cut): Float32Array {
  const width = cut.channels * cut.height * cut.width;
  const count = features.length / width;
  const perRecord = HALVES * HALVES * FILTERS;
  const out = new Float32Array(count * perRecord);
  const patch = new Float64Array(size);
  const distances = new Float64Array(FILTERS);
  const lengths = Float64Array.from({ length: FILTERS }, (_, filter) => {
    const one = typical.subarray(filter * size, (filter + 1) * size);
    return one.reduce((sum, value) => sum + value * value, 0);
  });
  const share = (HALVES * HALVES) / (cut.rows * cut.columns);
  for (let record = 0; record < count; record++) {
    for (let row = 0; row < cut.rows; row++) {
      for (let column = 0; column < cut.columns; column++) {
        patchAt(features, record * width, cut, row, column, patch);
        whiten(patch, { mean, factor, size });
        let own = 0;
        for (let j = 0; j < size; j++) own += (patch[j] ?? 0) * (patch[j] ?? 0);
        let middle = 0;
        for (let filter = 0; filter < FILTERS; filter++) {
          let inner = 0;
          const from = filter * size;
          for (let j = 0; j < size; j++) inner += (typical[from + j] ?? 0) * (patch[j] ?? 0);
          const distance = sqrt(max(0, own - 2 * inner + (lengths[filter] ?? 0)));
          distances[filter] = distance;
          middle += distance / FILTERS;
        }
        const quarter = floor((row * HALVES) / cut.rows) * HALVES + floor((column * HALVES) / cut.columns);
        const place = record * perRecord + quarter * FILTERS;
        for (let filter = 0; filter < FILTERS; filter++)
          out[place + filter] = (out[place + filter] ?? 0) + share * max(0, middle - (distances[filter] ?? 0));
      }
    }
  }
  return out;
}

function moments(table: Float32Array, size: number): { centre: Float64Array; scale: Float64Array } {
  const count = table.length / size;
  const centre = new Float64Array(size);
  const scale = new Float64Array(size);
  table.forEach((value, at) => (centre[at % size] = (centre[at % size] ?? 0) + value / count));
  table.forEach((value, at) => {
    const place = at % size;
    scale[place] = (scale[place] ?? 0) + (value - (centre[place] ?? 0)) ** 2 / count;
  });
  const deviations = scale.map(sqrt);
  const typical = deviations.reduce((sum, value) => sum + value, 0) / size;
  return { centre, scale: deviations.map((value) => value + LEAST_DEVIATION * typical || 1) };
}
