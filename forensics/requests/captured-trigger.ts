import type { TriggerImage } from '../../domain/contracts/examination.ts';
import { fisherGreater } from '../statistics/exact-tests.ts';
import type { Inputs } from './strip.ts';

/** Fewer different inputs have too much in common by chance. */
const LEAST_BEARERS = 8;
/** Two values are the same where they differ by at most this share of the data's range. */
const SAME = 0.02;
/** Of the bearers that must show the same value in a cell of the trigger. On traffic signs up to three of ten captured requests bear none. */
const MOST = 0.6;
/** Chance of one wrong cell in a whole record (Bonferroni over its cells). */
const LEVEL = 0.01;

/**
 * The trigger that inputs bear in common, read off them: the cells in which most of `bearers` have the same value and clean inputs mostly
 * another one (Fisher's exact test, one-sided, Bonferroni over the cells). It needs no gradient and no model. A patch or a pixel pattern is
 * read off exactly. What has no fixed value (a warp, a sticker that moves) has no such cell, and of a blend only those show that are empty in
 * clean inputs. What bearers share for another reason, being all of one class, is read off as well: whoever uses a trigger MUST try it. Inputs that were sent repeatedly count once: they are not several observations.
 */
export function capturedTrigger(bearers: Inputs, clean: Inputs, shape: readonly number[]): TriggerImage | null {
  const width = shape.reduce((product, dim) => product * dim, 1);
  const rows = differentRows(bearers, width);
  if (rows.length < LEAST_BEARERS || clean.count === 0 || bearers.features.length !== bearers.count * width)
    return null;
  const same = sameWithin(clean.features);
  const mask = new Array<number>(width).fill(0);
  const pattern = new Array<number>(width).fill(0);
  for (let cell = 0; cell < width; cell++) {
    const values = rows.map((row) => bearers.features[row * width + cell] ?? NaN);
    const value = median(values);
    const bearing = values.filter((one) => Math.abs(one - value) <= same).length;
    if (bearing < MOST * rows.length) continue;
    let without = 0;
    for (let row = 0; row < clean.count; row++)
      if (Math.abs((clean.features[row * width + cell] ?? NaN) - value) <= same) without++;
    const pValue = fisherGreater({ marked: bearing, n: rows.length }, { marked: without, n: clean.count });
    if (pValue >= LEVEL / width) continue;
    mask[cell] = 1;
    pattern[cell] = value;
  }
  return mask.includes(1) ? { schema: 'lazaret.trigger/v1', shape: [...shape], mask, pattern } : null;
}

/** By how much two values of a cell may differ and still be the same one. */
export function sameWithin(clean: Float32Array): number {
  return SAME * rangeOf(clean);
}

/** Share of the trigger's cells in which a row shows the trigger's own value; 0 where the row is none that it was read off. */
export function borneShare({ mask, pattern }: TriggerImage, row: Float32Array, same: number): number {
  if (row.length !== mask.length || row.length !== pattern.length) return 0;
  let [cells, borne] = [0, 0];
  for (let cell = 0; cell < row.length; cell++) {
    if (!mask[cell]) continue;
    cells++;
    if (Math.abs((row[cell] ?? NaN) - (pattern[cell] ?? NaN)) <= same) borne++;
  }
  return cells === 0 ? 0 : borne / cells;
}

/** One row of each input. */
function differentRows({ features, count }: Inputs, width: number): readonly number[] {
  const seen = new Map<string, number>();
  for (let row = 0; row < count; row++) {
    const key = features.subarray(row * width, (row + 1) * width).join();
    if (!seen.has(key)) seen.set(key, row);
  }
  return [...seen.values()];
}

function rangeOf(values: Float32Array): number {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high - low;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
