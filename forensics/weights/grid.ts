/** Levels of an 8-bit grid; finer ones are not told from chance in small tensors. */
const MAX_LEVELS = 256;
/** Distance from the grid, in steps, that float32 arithmetic explains. */
const TOLERANCE = 0.01;
/** Distinct values below which any row may seem to lie on a grid. */
const MIN_DISTINCT = 6;
/** Rows that must lie on a grid of their own: clipping and rounding may spoil a few. */
const MIN_SHARE = 0.9;
/** float16 keeps 10 of 23 bits of the mantissa, bfloat16 7. */
const LOST_BITS = 13;

/** Did these float32 values go through float16 or bfloat16? True where no (normal) value uses the low bits of its mantissa. */
export function shortMantissa(values: Float32Array): boolean {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const mask = (1 << LOST_BITS) - 1;
  let some = 0;
  for (const [at, word] of words.entries()) {
    if (Math.abs(values[at] ?? 0) < 2 ** -14) continue;
    if ((word & mask) !== 0) return false;
    some++;
  }
  return some >= MIN_DISTINCT;
}

/** The step of a grid that each run of `length` values lies on (as after integer quantisation, per tensor or per row); null for none. */
export function quantisationGrid(values: Float32Array, length: number): number | null {
  const steps: (number | null)[] = [];
  for (let from = 0; from < values.length; from += length) {
    const distinct = distinctOf(values.subarray(from, from + length));
    if (distinct.length < Math.min(MIN_DISTINCT, length)) continue;
    if (distinct.length < MIN_DISTINCT) return null;
    steps.push(stepOf(distinct));
  }
  const found = steps.filter((step) => step !== null);
  return steps.length > 0 && found.length >= MIN_SHARE * steps.length ? Math.max(...found) : null;
}

/** Ascending; once there are more than a grid can have, the rest is not looked at. */
function distinctOf(values: Float32Array): readonly number[] {
  const seen = new Set<number>();
  for (const value of values) {
    seen.add(value);
    if (seen.size > MAX_LEVELS) break;
  }
  return [...seen].sort((a, b) => a - b);
}

function stepOf(distinct: readonly number[]): number | null {
  if (distinct.length > MAX_LEVELS) return null;
  const first = distinct[0] ?? 0;
  const range = (distinct.at(-1) ?? 0) - first;
  const gaps = distinct.slice(1).map((value, at) => value - (distinct[at] ?? 0));
  const smallest = Math.min(...gaps);
  // The smallest gap between the values of a short row may be two or three steps.
  for (const parts of [1, 2, 3]) {
    const step = smallest / parts;
    if (range / step > MAX_LEVELS) continue;
    const fits = distinct.every((value) => {
      const level = (value - first) / step;
      return Math.abs(level - Math.round(level)) < TOLERANCE;
    });
    if (fits) return step;
  }
  return null;
}
