import { createNormal, type Random } from './bootstrap.ts';

/** Above this many rows and columns the spectrum is estimated from a random projection. */
export const EXACT_DIMENSION = 512;
/** Singular values estimated beyond it, and the extra directions that make them accurate (Halko et al., SIAM Rev. 53 (2011) 217–288). */
const SKETCH = 64;
const POWER_ITERATIONS = 2;

export interface Spectrum {
  /** Singular values, descending; all of them up to EXACT_DIMENSION, the largest ones beyond. */
  readonly values: readonly number[];
  /**
   * exp of the entropy of the normalised squared singular values (O. Roy, M. Vetterli, EUSIPCO 2007): 1 for a change in one direction. Beyond
   * EXACT_DIMENSION the energy outside the sketch counts as evenly spread, so the figure is an upper estimate.
   */
  readonly effectiveRank: number;
}

/** Spectrum of a row-major matrix in float64. Exact values come from the Gram matrix of the shorter side; `random` is used beyond it. */
export function spectrumOf(matrix: ArrayLike<number>, rows: number, columns: number, random: Random): Spectrum {
  const short = Math.min(rows, columns);
  if (short === 0) return { values: [], effectiveRank: 0 };
  const at =
    rows <= columns
      ? (i: number, k: number) => matrix[i * columns + k] ?? 0
      : (i: number, k: number) => matrix[k * columns + i] ?? 0;
  const long = Math.max(rows, columns);
  const wide = new Float64Array(short * long);
  for (let i = 0; i < short; i++) for (let k = 0; k < long; k++) wide[i * long + k] = at(i, k);
  let energy = 0;
  for (const value of wide) energy += value * value;
  if (energy === 0) return { values: [], effectiveRank: 0 };

  const sketched = short > EXACT_DIMENSION;
  const squares = symmetricEigenvalues(
    gram(sketched ? project(wide, short, long, random) : { data: wide, rows: short, columns: long }),
  )
    .map((value) => Math.max(0, value))
    .sort((a, b) => b - a);
  const missing = Math.max(0, energy - squares.reduce((sum, value) => sum + value, 0));
  return {
    values: squares.map(Math.sqrt),
    effectiveRank: rankOf(squares, sketched ? missing : 0, short - squares.length),
  };
}

function rankOf(squares: readonly number[], missing: number, missingDirections: number): number {
  const total = squares.reduce((sum, value) => sum + value, 0) + missing;
  let entropy = 0;
  for (const value of squares) if (value > 0) entropy -= (value / total) * Math.log(value / total);
  if (missing > 0 && missingDirections > 0)
    entropy -= (missing / total) * Math.log(missing / total / missingDirections);
  return Math.exp(entropy);
}

interface Matrix {
  readonly data: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** A Aᵀ of the short side. */
function gram({ data, rows, columns }: Matrix): Matrix {
  const out = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += (data[i * columns + k] ?? 0) * (data[j * columns + k] ?? 0);
      out[i * rows + j] = sum;
      out[j * rows + i] = sum;
    }
  }
  return { data: out, rows, columns: rows };
}

/** QᵀA for an orthonormal basis Q of the directions that random probes of A's range find. */
function project(data: Float64Array, rows: number, columns: number, random: Random): Matrix {
  const normal = createNormal(random);
  let probes: Matrix = { data: Float64Array.from({ length: SKETCH * columns }, normal), rows: SKETCH, columns };
  let range = orthonormalRows(timesTransposed(probes, { data, rows, columns }));
  for (let round = 0; round < POWER_ITERATIONS; round++) {
    probes = orthonormalRows(times(range, { data, rows, columns }));
    range = orthonormalRows(timesTransposed(probes, { data, rows, columns }));
  }
  return times(range, { data, rows, columns });
}

function times(a: Matrix, b: Matrix): Matrix {
  const out = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.columns; k++) {
      const factor = a.data[i * a.columns + k] ?? 0;
      for (let j = 0; j < b.columns; j++)
        out[i * b.columns + j] = (out[i * b.columns + j] ?? 0) + factor * (b.data[k * b.columns + j] ?? 0);
    }
  }
  return { data: out, rows: a.rows, columns: b.columns };
}

function timesTransposed(a: Matrix, b: Matrix): Matrix {
  const out = new Float64Array(a.rows * b.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      let sum = 0;
      for (let k = 0; k < a.columns; k++) sum += (a.data[i * a.columns + k] ?? 0) * (b.data[j * b.columns + k] ?? 0);
      out[i * b.rows + j] = sum;
    }
  }
  return { data: out, rows: a.rows, columns: b.rows };
}

/** Gram–Schmidt, twice over for orthogonality in floating point; rows without a direction of their own become zero. */
function orthonormalRows({ data, rows, columns }: Matrix): Matrix {
  const out = Float64Array.from(data);
  const dot = (i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += (out[i * columns + k] ?? 0) * (out[j * columns + k] ?? 0);
    return sum;
  };
  for (let i = 0; i < rows; i++) {
    const before = Math.sqrt(dot(i, i));
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const share = dot(i, j);
        for (let k = 0; k < columns; k++)
          out[i * columns + k] = (out[i * columns + k] ?? 0) - share * (out[j * columns + k] ?? 0);
      }
    }
    const norm = Math.sqrt(dot(i, i));
    const scale = norm > before * 1e-10 && norm > 0 ? 1 / norm : 0;
    for (let k = 0; k < columns; k++) out[i * columns + k] = (out[i * columns + k] ?? 0) * scale;
  }
  return { data: out, rows, columns };
}

/**
 * Eigenvalues of a symmetric matrix: Householder reduction to tridiagonal form, then QL with implicit shifts (tred1 and imtql1 of Wilkinson
 * and Reinsch, Handbook for Automatic Computation II, 1971). About 4n³/3 operations; 512 rows take a fraction of a second.
 */
export function symmetricEigenvalues({ data, rows: n }: Matrix): number[] {
  const a = Float64Array.from(data);
  const get = (i: number, j: number) => a[i * n + j] ?? 0;
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(get(i, k));
    if (scale === 0 || i === 1) {
      e[i] = get(i, i - 1);
      continue;
    }
    let h = 0;
    for (let k = 0; k < i; k++) {
      a[i * n + k] = get(i, k) / scale;
      h += get(i, k) ** 2;
    }
    const f = get(i, i - 1);
    const g = f >= 0 ? -Math.sqrt(h) : Math.sqrt(h);
    e[i] = scale * g;
    h -= f * g;
    a[i * n + i - 1] = f - g;
    let sum = 0;
    for (let j = 0; j < i; j++) {
      let product = 0;
      for (let k = 0; k <= j; k++) product += get(j, k) * get(i, k);
      for (let k = j + 1; k < i; k++) product += get(k, j) * get(i, k);
      e[j] = product / h;
      sum += (e[j] ?? 0) * get(i, j);
    }
    const half = sum / (h + h);
    for (let j = 0; j < i; j++) {
      const u = get(i, j);
      const v = (e[j] ?? 0) - half * u;
      e[j] = v;
      for (let k = 0; k <= j; k++) a[j * n + k] = get(j, k) - (u * (e[k] ?? 0) + v * get(i, k));
    }
  }
  for (let i = 0; i < n; i++) d[i] = get(i, i);
  return tridiagonalEigenvalues(d, e);
}

/** Two or three are usual; the bound ends the iteration on a matrix with NaN. */
const MAX_SWEEPS = 60;

/** `d` diagonal, `e[i]` the element left of `d[i]`; both are overwritten. */
function tridiagonalEigenvalues(d: Float64Array, e: Float64Array): number[] {
  const n = d.length;
  const diagonal = (i: number) => d[i] ?? 0;
  const off = (i: number) => e[i] ?? 0;
  for (let i = 1; i < n; i++) e[i - 1] = off(i);
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
      let m = l;
      while (m < n - 1 && Math.abs(off(m)) > Number.EPSILON * (Math.abs(diagonal(m)) + Math.abs(diagonal(m + 1)))) m++;
      if (m === l) break;
      let g = (diagonal(l + 1) - diagonal(l)) / (2 * off(l));
      let r = Math.hypot(g, 1);
      g = diagonal(m) - diagonal(l) + off(l) / (g + (g >= 0 ? r : -r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * off(i);
        const b = c * off(i);
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] = diagonal(i + 1) - p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = diagonal(i + 1) - p;
        r = (diagonal(i) - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l] = diagonal(l) - p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return [...d];
}
