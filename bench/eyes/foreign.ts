import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { select, type Records, type Task } from './data.ts';
import { orderOf, type Random } from './random.ts';

const HEADER = { nameLength: 26, extraLength: 28, size: 30 } as const;
const SIDE = 32;

/**
 * Inputs that the model was not made for and that somebody may well have at hand: traffic signs in grey for pictures (GTSRB, where LAZARET_DATA has
 * it; otherwise the pictures themselves turned over and inverted); for tables the rows with every column shuffled by itself, which keeps every
 * single column as it is.
 */
export function foreignTo(task: Task, random: Random): { readonly what: string; readonly records: Records } {
  if (!task.picture) return { what: 'columns shuffled', records: shuffledColumns(task.unseen, random) };
  const signs = trafficSigns();
  return signs
    ? { what: 'traffic signs', records: signs }
    : { what: 'pictures inverted', records: inverted(task.unseen) };
}

export function noiseLike({ width, count, features }: Records, rows: number, random: Random): Records {
  const low = new Float64Array(width).fill(Infinity);
  const high = new Float64Array(width).fill(-Infinity);
  for (let row = 0; row < count; row++)
    for (let at = 0; at < width; at++) {
      const value = features[row * width + at] ?? 0;
      low[at] = Math.min(low[at] ?? 0, value);
      high[at] = Math.max(high[at] ?? 0, value);
    }
  return {
    count: rows,
    width,
    features: Float32Array.from({ length: rows * width }, (_, k) => {
      const at = k % width;
      return (low[at] ?? 0) + random() * ((high[at] ?? 0) - (low[at] ?? 0));
    }),
    labels: new Int32Array(rows),
    groups: null,
  };
}

function inverted(records: Records): Records {
  const { count, width, features } = records;
  const turned = Float32Array.from(features, (_, k) => {
    const row = Math.floor(k / width);
    return 1 - (features[row * width + (width - 1 - (k % width))] ?? 0);
  });
  return { count, width, features: turned, labels: new Int32Array(count), groups: null };
}

function shuffledColumns(records: Records, random: Random): Records {
  const { count, width, features } = records;
  const mixed = new Float32Array(features.length);
  for (let at = 0; at < width; at++) {
    const order = orderOf(count, random);
    for (let row = 0; row < count; row++) mixed[row * width + at] = features[(order[row] ?? 0) * width + at] ?? 0;
  }
  return {
    ...select(
      records,
      Int32Array.from({ length: count }, (_, row) => row),
    ),
    features: mixed,
  };
}

/** The array `X` of the archive is its first entry: [count, 32, 32, 3] bytes behind the header of a .npy file. */
function trafficSigns(): Records | null {
  const file = join(process.env['LAZARET_DATA'] ?? '', 'gtsrb-cs50-32x32', 'gtsrb32.npz');
  if (!existsSync(file)) return null;
  const archive = readFileSync(file);
  const from = HEADER.size + archive.readUInt16LE(HEADER.nameLength) + archive.readUInt16LE(HEADER.extraLength);
  const array = inflateRawSync(archive.subarray(from));
  const pixels = array.subarray(10 + array.readUInt16LE(8));
  const count = Math.floor(pixels.length / (SIDE * SIDE * 3));
  const features = new Float32Array(count * 64);
  for (let at = 0; at < count; at++)
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        const k = ((at * SIDE + y) * SIDE + x) * 3;
        const grey = 0.299 * (pixels[k] ?? 0) + 0.587 * (pixels[k + 1] ?? 0) + 0.114 * (pixels[k + 2] ?? 0);
        const cell = at * 64 + (y >> 2) * 8 + (x >> 2);
        features[cell] = (features[cell] ?? 0) + grey / 255 / 16;
      }
  return { count, width: 64, features, labels: new Int32Array(count), groups: null };
}
