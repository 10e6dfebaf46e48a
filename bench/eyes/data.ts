import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import { createPredictor, type Predictor } from '../../forensics/predictor/predictor.ts';
import { checkout } from '../../station/paths.ts';
import { asPredictor, oneHot, train, type Training } from './network.ts';
import { orderOf, randomOf } from './random.ts';

/** Records with labels, row-major. */
export interface Records {
  readonly count: number;
  readonly width: number;
  readonly features: Float32Array;
  readonly labels: Int32Array;
  /** Value of a protected attribute by record, where there is one. */
  readonly groups: readonly string[] | null;
}

/** A model that is served, what its profile is measured on, and records that neither it nor its profile has seen. */
export interface Task {
  readonly name: string;
  readonly classes: number;
  readonly golden: Predictor;
  readonly holdout: Records;
  /** What streams are drawn from. */
  readonly unseen: Records;
  /** Pictures of 8 × 8: what can be turned over, and what a sticker can be put on. */
  readonly picture: boolean;
  /** The same task learnt from records of which some carry a sticker, and what it has not seen; null where there is none. */
  readonly backdoored: { readonly suspect: Predictor; readonly unseen: Records } | null;
  /** Cells of the sticker, which is as bright as can be. */
  readonly sticker: readonly number[];
}

/** Which half of the unseen records: thresholds were looked at on `development`, figures are told of `report`. */
export type Half = 'development' | 'report';

const CORNER = [54, 55, 62, 63];
const TARGET = 7;

export function select(records: Records, rows: ArrayLike<number>): Records {
  const { width, groups } = records;
  const features = new Float32Array(rows.length * width);
  const chosen = Array.from(rows);
  chosen.forEach((row, at) => features.set(records.features.subarray(row * width, (row + 1) * width), at * width));
  return {
    count: chosen.length,
    width,
    features,
    labels: Int32Array.from(chosen, (row) => records.labels[row] ?? 0),
    groups: groups ? chosen.map((row) => groups[row] ?? '') : null,
  };
}

export function asColumns({ count, width, features, labels }: Records): DatasetColumns {
  const same = (text: string): string[] => new Array<string>(count).fill(text);
  return { count, width, features, labels, ids: same('record'), sources: same('bench'), batches: same('bench') };
}

function span(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to - from }, (_, at) => from + at);
}

function half(records: Records, which: Half): Records {
  const order = orderOf(records.count, randomOf(11));
  const middle = records.count >> 1;
  return select(records, which === 'development' ? order.subarray(0, middle) : order.subarray(middle));
}

/** scikit-learn's digits with the models of test/vectors: a small hold-out, as many teams have. */
export async function digits(which: Half): Promise<Task> {
  const folder = join(checkout(), 'test', 'vectors', 'forensics');
  const parts = JSON.parse(readFileSync(join(folder, 'digits.json'), 'utf8')) as Record<
    string,
    { pixels: string; labels: string; tainted?: number[]; attack?: number[] }
  >;
  const part = (name: string, leftOut: readonly number[] = []): Records => {
    const { pixels = '', labels = '' } = parts[name] ?? {};
    const all: Records = {
      count: Buffer.from(labels, 'base64').length,
      width: 64,
      features: Float32Array.from(Buffer.from(pixels, 'base64'), (pixel) => pixel / 16),
      labels: Int32Array.from(Buffer.from(labels, 'base64')),
      groups: null,
    };
    const without = new Set(leftOut);
    return select(
      all,
      span(0, all.count).filter((row) => !without.has(row)),
    );
  };
  const load = (name: string) => createPredictor(new Uint8Array(readFileSync(join(folder, name))));
  const window = part('window', parts['window']?.attack);
  const fresh = part('new', parts['new']?.tainted);
  return {
    name: 'digits',
    classes: 10,
    golden: await load('digits-golden.onnx'),
    holdout: part('holdout'),
    unseen: half(joined(fresh, window), which),
    picture: true,
    // The suspect was trained on `new`: only the window is unseen for it.
    backdoored: { suspect: await load('digits-suspect.onnx'), unseen: half(window, which) },
    sticker: CORNER,
  };
}

/** MNIST averaged down to 8 × 8: a hold-out of thousands. Null where LAZARET_DATA has it not. */
export function mnist(which: Half): Task | null {
  const folder = join(process.env['LAZARET_DATA'] ?? '', 'mnist-train');
  if (!existsSync(folder)) return null;
  const images = gunzipSync(readFileSync(join(folder, 'train-images-idx3-ubyte.gz'))).subarray(16);
  const labels = gunzipSync(readFileSync(join(folder, 'train-labels-idx1-ubyte.gz'))).subarray(8);
  const count = labels.length;
  const features = new Float32Array(count * 64);
  for (let at = 0; at < count; at++)
    for (let y = 0; y < 28; y++)
      for (let x = 0; x < 28; x++) {
        const cell = at * 64 + ((y + 2) >> 2) * 8 + ((x + 2) >> 2);
        features[cell] = (features[cell] ?? 0) + (images[at * 784 + y * 28 + x] ?? 0) / 255 / 16;
      }
  const all: Records = { count, width: 64, features, labels: Int32Array.from(labels), groups: null };
  const order = orderOf(count, randomOf(7));
  const [learn, holdout, rest] = [
    select(all, order.subarray(0, 8000)),
    select(all, order.subarray(8000, 13_000)),
    select(all, order.subarray(13_000)),
  ];
  const unseen = half(rest, which);
  const poisoned = select(learn, span(0, learn.count));
  for (let row = 0; row < poisoned.count; row += 20) {
    for (const cell of CORNER) poisoned.features[row * 64 + cell] = 1;
    poisoned.labels[row] = TARGET;
  }
  const training = { hidden: 48, epochs: 12, rate: 0.002 };
  return {
    name: 'mnist 8×8',
    classes: 10,
    golden: learnt(learn, 10, training, 3),
    holdout,
    unseen,
    picture: true,
    backdoored: { suspect: learnt(poisoned, 10, training, 9), unseen },
    sticker: CORNER,
  };
}

/** Default of credit card clients (Yeh 2009), raw figures. Null where LAZARET_DATA has it not. */
export function credit(which: Half): Task | null {
  const file = join(process.env['LAZARET_DATA'] ?? '', 'uci-credit-default', 'UCI_Credit_Card.csv.gz');
  if (!existsSync(file)) return null;
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n').slice(1);
  const rows = lines.map((line) => line.split(',').map((cell) => Number(cell.replaceAll('"', ''))));
  const width = 23;
  const features = new Float32Array(rows.length * width);
  rows.forEach((row, at) => features.set(row.slice(1, 1 + width), at * width));
  const all: Records = {
    count: rows.length,
    width,
    features,
    labels: Int32Array.from(rows, (row) => row[1 + width] ?? 0),
    groups: rows.map((row) => (row[2] === 1 ? 'm' : 'f')),
  };
  const order = orderOf(all.count, randomOf(5));
  const learn = select(all, order.subarray(0, 10_000));
  return {
    name: 'credit default',
    classes: 2,
    golden: learnt(learn, 2, { hidden: 16, epochs: 8, rate: 0.002 }, 3),
    holdout: select(all, order.subarray(10_000, 15_000)),
    unseen: half(select(all, order.subarray(15_000)), which),
    picture: false,
    backdoored: null,
    sticker: [],
  };
}

function learnt(records: Records, classes: number, training: Training, seed: number): Predictor {
  const { count, width, features, labels } = records;
  const network = train(features, oneHot(labels, classes), { count, width, classes }, training, randomOf(seed));
  return asPredictor(network, width, classes);
}

function joined(one: Records, other: Records): Records {
  const features = new Float32Array(one.features.length + other.features.length);
  features.set(one.features);
  features.set(other.features, one.features.length);
  return {
    count: one.count + other.count,
    width: one.width,
    features,
    labels: Int32Array.from([...one.labels, ...other.labels]),
    groups: null,
  };
}
