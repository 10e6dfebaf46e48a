import { logGamma } from './exact-tests.ts';

const TERMS = 300;
const TINY = 1e-300;
const CLOSE = 1e-14;

/**
 * Regularised incomplete beta function I_x(a, b), 0 ≤ x ≤ 1, by its continued fraction (DLMF 8.17.22) in Lentz's way (W. J. Lentz, Appl. Opt.
 * 15 (1976)); relative error about 1e-12.
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean alone.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b)) / a;
  let c = 1;
  let d = 1 / nonzero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < CLOSE) break;
  }
  return front * value;
}

function nonzero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** P(T > t) for Student's distribution with `freedom` degrees of freedom. */
export function studentTail(t: number, freedom: number): number {
  const half = incompleteBeta(freedom / (freedom + t * t), freedom / 2, 1 / 2) / 2;
  return t >= 0 ? half : 1 - half;
}

/**
 * Is one more value larger than the others let expect? One-sided p-value of a prediction from n ≥ 2 values of a normal distribution
 * (Student's t with n − 1 degrees of freedom). 1 where the others do not differ from each other: their spread cannot be judged.
 */
export function predictionTail(value: number, others: readonly number[]): { t: number; pValue: number } {
  const n = others.length;
  const mean = others.reduce((sum, each) => sum + each, 0) / n;
  const variance = others.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (n - 1);
  if (!(variance > 0)) return { t: 0, pValue: 1 };
  const t = (value - mean) / Math.sqrt(variance * (1 + 1 / n));
  return { t, pValue: studentTail(t, n - 1) };
}
