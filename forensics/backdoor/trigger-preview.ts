import type { TriggerImage } from '../../domain/contracts/examination.ts';
import type { TriggerPreview } from '../../domain/contracts/finding.ts';

/** A preview travels in the finding, through the workflow's history: two bytes for each cell of at most this many by this many. */
const MAX_SIDE = 32;

/**
 * A trigger as people look at it: grey values of its pattern, and how much of each cell it covers. Channels are averaged; a record that is no
 * picture becomes one row. null where the numbers do not have the shape they claim.
 */
export function previewOf({ shape, mask, pattern }: TriggerImage): TriggerPreview | null {
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (pattern.length !== size || mask.length === 0 || size % mask.length !== 0) return null;
  const [rows, columns] = shape.length < 2 ? [1, size] : [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
  const grid: Grid = { rows, columns };
  const grey = scaled(shrunk(channelMean(pattern, grid), grid));
  const cover = shrunk(channelMean(mask, grid), grid);
  const width = Math.min(columns, MAX_SIDE);
  return {
    width,
    height: grey.length / width,
    pattern: base64(grey),
    mask: base64(cover),
  };
}

interface Grid {
  readonly rows: number;
  readonly columns: number;
}

function channelMean(values: readonly number[], { rows, columns }: Grid): readonly number[] {
  const cells = rows * columns;
  const channels = Math.max(1, values.length / cells);
  return Array.from({ length: cells }, (_, cell) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1) sum += values[channel * cells + cell] ?? 0;
    return sum / channels;
  });
}

/** Mean over the cells that fall together. */
function shrunk(values: readonly number[], { rows, columns }: Grid): readonly number[] {
  const height = Math.min(rows, MAX_SIDE);
  const width = Math.min(columns, MAX_SIDE);
  if (height === rows && width === columns) return values;
  const sums = new Float64Array(height * width);
  const counts = new Float64Array(height * width);
  values.forEach((value, index) => {
    const row = Math.floor((Math.floor(index / columns) * height) / rows);
    const column = Math.floor(((index % columns) * width) / columns);
    sums[row * width + column] = (sums[row * width + column] ?? 0) + value;
    counts[row * width + column] = (counts[row * width + column] ?? 0) + 1;
  });
  return Array.from(sums, (sum, index) => sum / (counts[index] || 1));
}

/** To [0, 1]; what lies there already stays, so that a sticker of one colour keeps it. */
function scaled(values: readonly number[]): readonly number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (low >= 0 && high <= 1) return values;
  const span = high - low || 1;
  return values.map((value) => (value - low) / span);
}

/** Shares in [0, 1] as one byte each. */
function base64(shares: readonly number[]): string {
  return Buffer.from(shares.map((share) => Math.round(255 * Math.min(1, Math.max(0, share))))).toString('base64');
}
