import type { TensorPair } from './pair.ts';
import { createRandom } from '../statistics/bootstrap.ts';
import { spectrumOf, type Spectrum } from '../statistics/spectrum.ts';
import { quantisationGrid, shortMantissa } from './grid.ts';

/** Larger matrices are judged by their first rows and columns: the rank of a part is at most the rank of the whole. */
const PART_ROWS = 256;
const PART_COLUMNS = 2048;
/** Energy of the difference that float32 rounding may leave outside its leading directions. */
const RANK_TOLERANCE = 1e-5;
const SKETCH_SEED = 1;

/** What is known of one tensor's difference, over all its entries. */
export interface Evidence {
  readonly entries: number;
  readonly changed: number;
  /** Changed words that differ in one or two bits. */
  readonly fewBits: number;
  readonly signFlips: number;
  /** Changed entries that are zero now. */
  readonly emptied: number;
  /** Changed words by the highest bit that differs, 32 counts. */
  readonly highestBit: readonly number[];
  /** The suspect's values lie on a grid of few levels, or have a shorter mantissa, and the golden values do not. */
  readonly quantised: boolean;
  /** Squared norms. */
  readonly difference: number;
  readonly golden: number;
  readonly suspect: number;
  /** Of the difference that is left when the golden tensor is scaled by the best factor: for all, for each row. */
  readonly afterScale: number;
  readonly afterRowScale: number;
  /** Lines along the first and the second side of the matrix [first dimension × rest] that hold a change. */
  readonly rows: { readonly touched: number; readonly of: number };
  readonly columns: { readonly touched: number; readonly of: number };
  /** Directions that hold all but RANK_TOLERANCE of the difference's energy. */
  readonly rank: number;
  /** Of the part of the difference that was looked at: PART_ROWS × PART_COLUMNS. */
  readonly spectrum: Spectrum;
}

const NO_SPECTRUM: Spectrum = { values: [], effectiveRank: 0 };

/** Both tensors as float32; O(entries), and one spectrum of at most PART_ROWS × PART_COLUMNS. */
export function evidenceOf({ shape, suspect, golden }: TensorPair): Evidence {
  const [rows, columns] = matrix(shape, suspect.length);
  const [a, b] = [words(suspect), words(golden)];
  const highestBit = new Array<number>(32).fill(0);
  const touchedRows = new Uint8Array(rows);
  const touchedColumns = new Uint8Array(columns);
  const sums = { changed: 0, fewBits: 0, signFlips: 0, emptied: 0, difference: 0, golden: 0, product: 0 };
  let afterRowScale = 0;
  for (let row = 0; row < rows; row++) {
    const line = { difference: 0, golden: 0, product: 0, suspect: 0 };
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const [p, q] = [finite(suspect[at]), finite(golden[at])];
      line.difference += (p - q) ** 2;
      line.golden += q * q;
      line.product += p * q;
      line.suspect += p * p;
      const x = (a[at] ?? 0) ^ (b[at] ?? 0);
      if (x === 0) continue;
      sums.changed++;
      touchedRows[row] = touchedColumns[column] = 1;
      const top = 31 - Math.clz32(x);
      highestBit[top] = (highestBit[top] ?? 0) + 1;
      if (top === 31) sums.signFlips++;
      const rest = x & (x - 1);
      if ((rest & (rest - 1)) === 0) sums.fewBits++;
      if (suspect[at] === 0) sums.emptied++;
    }
    sums.difference += line.difference;
    sums.golden += line.golden;
    sums.product += line.product;
    afterRowScale += residual(line);
  }
  const energy = sums.difference + 2 * sums.product - sums.golden;
  return {
    entries: suspect.length,
    ...sums,
    highestBit,
    suspect: energy,
    quantised: sums.changed > 0 && isQuantised({ suspect, golden, columns }),
    afterScale: residual({ ...sums, suspect: energy }),
    afterRowScale,
    rows: { touched: count(touchedRows), of: rows },
    columns: { touched: count(touchedColumns), of: columns },
    ...(sums.changed === 0 ? { rank: 0, spectrum: NO_SPECTRUM } : directionsOf(suspect, golden, rows, columns)),
  };
}

/** What is known of a tensor in which no bit differs; its norm is not asked for. */
export function untouched(entries: number): Evidence {
  return {
    entries,
    changed: 0,
    fewBits: 0,
    signFlips: 0,
    emptied: 0,
    highestBit: new Array<number>(32).fill(0),
    quantised: false,
    difference: 0,
    golden: 0,
    suspect: 0,
    afterScale: 0,
    afterRowScale: 0,
    rows: { touched: 0, of: 0 },
    columns: { touched: 0, of: 0 },
    rank: 0,
    spectrum: NO_SPECTRUM,
  };
}

/**
 * One tensor from the evidence of its blocks of rows. Touched columns are added up, which is too many where blocks share them, and the best factor
 * is taken for each block: an implant or a scaling that is named, is one.
 */
export function joined(blocks: readonly Evidence[]): Evidence {
  const [first, ...rest] = blocks;
  if (!first) return untouched(0);
  return rest.reduce(
    (all, next) => ({
      entries: all.entries + next.entries,
      changed: all.changed + next.changed,
      fewBits: all.fewBits + next.fewBits,
      signFlips: all.signFlips + next.signFlips,
      emptied: all.emptied + next.emptied,
      highestBit: all.highestBit.map((bits, at) => bits + (next.highestBit[at] ?? 0)),
      quantised: (all.quantised || all.changed === 0) && (next.quantised || next.changed === 0),
      difference: all.difference + next.difference,
      golden: all.golden + next.golden,
      suspect: all.suspect + next.suspect,
      afterScale: all.afterScale + next.afterScale,
      afterRowScale: all.afterRowScale + next.afterRowScale,
      rows: { touched: all.rows.touched + next.rows.touched, of: all.rows.of + next.rows.of },
      columns: {
        touched: Math.min(all.columns.of, all.columns.touched + next.columns.touched),
        of: all.columns.of,
      },
      rank: Math.max(all.rank, next.rank),
      spectrum: all.spectrum.values.length > 0 ? all.spectrum : next.spectrum,
    }),
    first,
  );
}

function isQuantised(pair: { suspect: Float32Array; golden: Float32Array; columns: number }): boolean {
  if (shortMantissa(pair.suspect) && !shortMantissa(pair.golden)) return true;
  const grid = (values: Float32Array) =>
    quantisationGrid(values, values.length) ?? quantisationGrid(values, pair.columns);
  const step = grid(pair.suspect);
  return step !== null && grid(pair.golden) === null;
}

/** ‖s − c g‖² at the best c: the part of s that is no multiple of g. */
function residual(sums: { suspect: number; golden: number; product: number }): number {
  return sums.golden === 0 ? sums.suspect : Math.max(0, sums.suspect - sums.product ** 2 / sums.golden);
}

function directionsOf(suspect: Float32Array, golden: Float32Array, rows: number, columns: number) {
  const [height, width] = [Math.min(rows, PART_ROWS), Math.min(columns, PART_COLUMNS)];
  const part = new Float64Array(height * width);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const at = row * columns + column;
      part[row * width + column] = finite(suspect[at]) - finite(golden[at]);
    }
  const spectrum = spectrumOf(part, height, width, createRandom(SKETCH_SEED));
  const squares = spectrum.values.map((value) => value * value);
  let left = squares.reduce((sum, value) => sum + value, 0);
  const tolerated = left * RANK_TOLERANCE;
  let rank = 0;
  while (left > tolerated && rank < squares.length) left -= squares[rank++] ?? 0;
  return { rank, spectrum };
}

/** First dimension × rest; a vector is one row for each entry's own sake: n × 1. */
export function matrix(shape: readonly number[], entries: number): readonly [rows: number, columns: number] {
  const rows = shape[0] ?? 1;
  return rows === 0 ? [0, 0] : [rows, entries / rows];
}

const words = (values: Float32Array) => new Int32Array(values.buffer, values.byteOffset, values.length);
const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : 0);
const count = (marks: Uint8Array) => marks.reduce((sum, mark) => sum + mark, 0);
