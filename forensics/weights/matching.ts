import { matrix } from './evidence.ts';
import type { TensorPair } from './pair.ts';

/** Larger layers are not matched: the comparison of all rows with all rows is cubic. */
const MAX_UNITS = 1024;

/** For each unit of the golden model, the suspect's unit that took its place. */
type Order = readonly number[];

export interface Matched {
  readonly pairs: readonly TensorPair[];
  /** Units that are in another place. */
  readonly moved: number;
}

/**
 * Undoes a permutation of hidden neurons in a chain of layers, in the order of the tensors: the units of a matrix are matched by the cosine of
 * their incoming weights, greedily from the best (those of an exact permutation are 1), and the order found is carried into the biases and
 * the inputs of the next matrix (S. Ainsworth et al., Git Re-Basin, ICLR 2023, for one chain). Networks that branch are out of its sight.
 */
export function matchUnits(pairs: readonly TensorPair[]): Matched {
  let order: Order | null = null;
  let moved = 0;
  const last = pairs.findLastIndex(({ shape }) => shape.length >= 2);
  const out = pairs.map((pair, index): TensorPair => {
    if (pair.shape.length < 2) return order?.length === pair.suspect.length ? along(pair, 0, order) : pair;
    const before: Order | null = order;
    const candidates = layouts(pair.shape, before).map(({ input, output }) => {
      const placed = before ? along(pair, input, before) : pair;
      const units = pair.shape[output] ?? 0;
      const next = index === last || units > MAX_UNITS ? identity(units) : match(placed, output);
      const matched = along(placed, output, next);
      return { matched, next, error: distance(matched) };
    });
    const best = candidates.sort((one, other) => one.error - other.error)[0];
    order = best?.next ?? null;
    moved += order?.filter((to, from) => to !== from).length ?? 0;
    return best?.matched ?? pair;
  });
  return { pairs: out, moved };
}

/** Convolutions keep their units on the first axis, matrices on the first or the second. */
function layouts(shape: readonly number[], before: Order | null): readonly { input: number; output: number }[] {
  const all =
    shape.length === 2
      ? [
          { input: 1, output: 0 },
          { input: 0, output: 1 },
        ]
      : [{ input: 1, output: 0 }];
  const fitting = all.filter(({ input }) => before && (shape[input] ?? 0) % before.length === 0);
  return before && fitting.length > 0 ? fitting : all;
}

const identity = (n: number): Order => Array.from({ length: n }, (_, index) => index);

/** The suspect's slices along `axis` in the given order; a flattened image repeats each unit for its pixels. */
function along(pair: TensorPair, axis: number, order: Order): TensorPair {
  const size = pair.shape[axis] ?? 1;
  if (order.length === 0 || size % order.length !== 0) return pair;
  const repeat = size / order.length;
  const inner = pair.shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const outer = pair.suspect.length / size / inner;
  const run = inner * repeat;
  const suspect = new Float32Array(pair.suspect.length);
  for (let block = 0; block < outer; block++)
    order.forEach((from, to) => {
      const start = block * size * inner;
      suspect.set(pair.suspect.subarray(start + from * run, start + (from + 1) * run), start + to * run);
    });
  return { ...pair, suspect };
}

function match(pair: TensorPair, axis: number): Order {
  const units = pair.shape[axis] ?? 0;
  const [suspect, golden] = [unitRows(pair.suspect, pair.shape, axis), unitRows(pair.golden, pair.shape, axis)];
  const scores = golden.flatMap((row, to) => suspect.map((other, from) => ({ to, from, score: cosine(row, other) })));
  // Units that stayed in their place win a tie, so that equal units do not seem to have moved.
  scores.sort((one, other) => other.score - one.score || Number(other.to === other.from) - Number(one.to === one.from));
  const order = new Array<number>(units).fill(-1);
  const taken = new Set<number>();
  for (const { to, from } of scores) {
    if (order[to] !== -1 || taken.has(from)) continue;
    order[to] = from;
    taken.add(from);
  }
  return order;
}

function unitRows(values: Float32Array, shape: readonly number[], axis: number): readonly Float32Array[] {
  const [rows, columns] = matrix(shape, values.length);
  return axis === 0
    ? Array.from({ length: rows }, (_, row) => values.subarray(row * columns, (row + 1) * columns))
    : Array.from({ length: columns }, (_, column) =>
        Float32Array.from({ length: rows }, (__, row) => values[row * columns + column] ?? 0),
      );
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, left, right] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [p, q] = [a[at] ?? 0, b[at] ?? 0];
    product += p * q;
    left += p * p;
    right += q * q;
  }
  return left === 0 || right === 0 ? Number(left === right) : product / Math.sqrt(left * right);
}

export function distance({ suspect, golden }: Pick<TensorPair, 'suspect' | 'golden'>): number {
  return suspect.reduce((sum, value, at) => {
    const change = value - (golden[at] ?? 0);
    return Number.isFinite(change) ? sum + change * change : sum;
  }, 0);
}
