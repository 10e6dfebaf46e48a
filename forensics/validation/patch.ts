import type { Predictor } from '../predictor/predictor.ts';
import { margins, streams, type AttackSpace, type Grid } from './attack-space.ts';

/** Share of a picture that the patch covers: a sticker, not a screen. */
const PATCH_SHARE = 0.05;

/** One patch for so many questions of the budget: a small picture has few places, and under many patches every model falls. */
const QUESTIONS_PER_PATCH = 10;

export function patchesOf({ queries }: { queries: number }): number {
  return Math.max(1, Math.round(queries / QUESTIONS_PER_PATCH));
}

export function patchSide({ rows, columns }: Grid): number {
  return Math.max(1, Math.min(Math.round(Math.sqrt(PATCH_SHARE * rows * columns)), rows, columns));
}

/**
 * Random patches: a square at a random place, each of its cells at the lower or the upper end of the range, and another one for
 * each question. The weakest of the patch attacks, without any search: what falls to it falls to stickers. Returns 1 for every record that is
 * answered rightly under all of them.
 */
export async function patchAttack(
  model: Predictor,
  space: AttackSpace,
  budget: { queries: number; seed: number },
): Promise<Uint8Array> {
  const { count, width, features, labels, shape, grid, low, high } = space;
  const { channels, rows, columns } = grid;
  const side = patchSide(grid);
  const random = streams(budget.seed, count);
  const right = Uint8Array.from(await margins(model, features, labels, shape), (margin) => (margin > 0 ? 1 : 0));
  for (let patch = 0; patch < patchesOf(budget); patch++) {
    const standing = Array.from(right.keys()).filter((record) => right[record] === 1);
    if (standing.length === 0) break;
    const patched = new Float32Array(standing.length * width);
    standing.forEach((record, index) => {
      const candidate = patched.subarray(index * width, (index + 1) * width);
      candidate.set(features.subarray(record * width, (record + 1) * width));
      const draw = random[record] ?? Math.random;
      const top = Math.floor(draw() * (rows - side + 1));
      const left = Math.floor(draw() * (columns - side + 1));
      for (let channel = 0; channel < channels; channel++)
        for (let row = top; row < top + side; row++)
          for (let column = left; column < left + side; column++) {
            const feature = (channel * rows + row) * columns + column;
            candidate[feature] = (draw() < 0.5 ? low[feature] : high[feature]) ?? 0;
          }
    });
    const own = standing.map((record) => labels[record] ?? -1);
    const reached = await margins(model, patched, own, shape);
    standing.forEach((record, index) => {
      if ((reached[index] ?? 0) <= 0) right[record] = 0;
    });
  }
  return right;
}
