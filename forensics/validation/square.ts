import type { Predictor } from '../predictor/predictor.ts';
import type { Random } from '../statistics/bootstrap.ts';
import { margins, streams, type AttackSpace, type Grid } from './attack-space.ts';

/** Share of the record that the first squares cover; the value of F. Croce, M. Hein, ICML 2020 (AutoAttack), for small budgets. */
const FIRST_SHARE = 0.8;
/** Of a budget of 10 000 questions, after which the share is halved: the schedule of the authors' own code. */
const HALVED_AT = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000];
/** Draws until a square changes something; then it is asked as it is. */
const MAX_DRAWS = 10;

/**
 * Square Attack under the L∞ norm: M. Andriushchenko, F. Croce, N. Flammarion, M. Hein, ECCV 2020. Untargeted, on the margin of the scores,
 * with at most `queries` questions per record; it needs no gradient, so that a model cannot withstand it by hiding its own. A record is a
 * grid; in a table the squares are stretches of columns. Returns 1 for every record that is still answered rightly.
 */
export async function squareAttack(
  model: Predictor,
  space: AttackSpace,
  { queries, seed }: { queries: number; seed: number },
): Promise<Uint8Array> {
  const { count, width, features, labels, shape, grid } = space;
  const random = streams(seed, count);
  const best = features.slice();
  const margin = await margins(model, features, labels, shape);

  const tryOn = async (alter: (candidate: Float32Array, record: number) => void): Promise<void> => {
    const standing = Array.from(margin.keys()).filter((record) => (margin[record] ?? 0) > 0);
    if (standing.length === 0) return;
    const tried = new Float32Array(standing.length * width);
    standing.forEach((record, index) => {
      const candidate = tried.subarray(index * width, (index + 1) * width);
      candidate.set(best.subarray(record * width, (record + 1) * width));
      alter(candidate, record);
    });
    const own = standing.map((record) => labels[record] ?? -1);
    const reached = await margins(model, tried, own, shape);
    standing.forEach((record, index) => {
      const now = reached[index] ?? Infinity;
      if (now >= (margin[record] ?? 0)) return;
      margin[record] = now;
      best.set(tried.subarray(index * width, (index + 1) * width), record * width);
    });
  };

  if (queries > 1) await tryOn((candidate, record) => stripes(candidate, record, space, random[record] ?? Math.random));
  for (let query = 2; query < queries; query++) {
    const side = sideOf((query - 2) / queries, grid);
    await tryOn((candidate, record) => square(candidate, record, side, space, random[record] ?? Math.random));
  }
  return Uint8Array.from(margin, (own) => (own > 0 ? 1 : 0));
}

/** Side of the squares at a share of the budget; in a table the length of the stretch. */
export function sideOf(spent: number, { rows, columns }: Grid): number {
  const halvings = HALVED_AT.filter((at) => spent * 10_000 > at).length;
  const share = FIRST_SHARE / 2 ** halvings;
  const side = rows === 1 ? share * columns : Math.sqrt(share * rows * columns);
  return Math.max(1, Math.min(Math.round(side), rows === 1 ? columns : Math.min(rows, columns) - 1));
}

/** The start: every column of every channel wholly up or down. */
function stripes(candidate: Float32Array, record: number, space: AttackSpace, random: Random): void {
  const { channels, rows, columns } = space.grid;
  for (let channel = 0; channel < channels; channel++)
    for (let column = 0; column < columns; column++) {
      const sign = random() < 0.5 ? -1 : 1;
      for (let row = 0; row < rows; row++)
        move(candidate, (channel * rows + row) * columns + column, sign, record, space);
    }
}

/** One square at a random place, in every channel wholly up or down. */
function square(candidate: Float32Array, record: number, side: number, space: AttackSpace, random: Random): void {
  const { channels, rows, columns } = space.grid;
  const height = Math.min(side, rows);
  const top = Math.floor(random() * (rows - height + 1));
  const left = Math.floor(random() * (columns - side + 1));
  for (let draw = 0; draw < MAX_DRAWS; draw++) {
    let changed = false;
    for (let channel = 0; channel < channels; channel++) {
      const sign = random() < 0.5 ? -1 : 1;
      for (let row = top; row < top + height; row++)
        for (let column = left; column < left + side; column++)
          changed = move(candidate, (channel * rows + row) * columns + column, sign, record, space) || changed;
    }
    if (changed) return;
  }
}

/** Moves one feature to the edge of what is allowed around the record; whether that changed it. */
function move(candidate: Float32Array, feature: number, sign: number, record: number, space: AttackSpace): boolean {
  const { features, width, low, high, step } = space;
  const wished = (features[record * width + feature] ?? 0) + sign * (step[feature] ?? 0);
  const moved = Math.fround(Math.min(high[feature] ?? wished, Math.max(low[feature] ?? wished, wished)));
  const changed = Math.abs(moved - (candidate[feature] ?? 0)) > 1e-7;
  candidate[feature] = moved;
  return changed;
}
