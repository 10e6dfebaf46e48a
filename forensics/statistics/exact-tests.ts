/** Exact one-sided tests on counts. All sums are taken in logarithms, so that a p-value of 1e-200 is a figure and not a zero. */

/** Lanczos' approximation with g = 7 and nine terms (Numerical Recipes, 6.1); relative error below 1e-14 for x > 0. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x);
  const y = x - 1;
  const series = LANCZOS.reduce((sum, term, index) => (index === 0 ? term : sum + term / (y + index)), 0);
  const t = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(series);
}

export function logChoose(n: number, k: number): number {
  return k < 0 || k > n ? -Infinity : logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** P(X ≥ successes) for X ~ Binomial(n, rate). */
export function binomialTail(successes: number, n: number, rate: number): number {
  if (successes <= 0) return 1;
  if (successes > n || rate <= 0) return 0;
  if (rate >= 1) return 1;
  const term = (k: number) => logChoose(n, k) + k * Math.log(rate) + (n - k) * Math.log1p(-rate);
  return tail(term, successes, n);
}

/** P(X ≥ marked) where X of `drawn` records are marked, drawn without replacement from `total` records of which `totalMarked` are. */
export function hypergeometricTail(marked: number, drawn: number, totalMarked: number, total: number): number {
  const least = Math.max(0, drawn + totalMarked - total);
  if (marked <= least) return 1;
  const most = Math.min(drawn, totalMarked);
  if (marked > most) return 0;
  const all = logChoose(total, drawn);
  return tail((k) => logChoose(totalMarked, k) + logChoose(total - totalMarked, drawn - k) - all, marked, most);
}

/** Fisher's exact test, one-sided: is the marked share of the first group above that of the second? */
export function fisherGreater(first: { marked: number; n: number }, second: { marked: number; n: number }): number {
  return hypergeometricTail(first.marked, first.n, first.marked + second.marked, first.n + second.n);
}

/** e⁻⁴⁰ of a sum is below what a double can tell apart. */
const NEGLIGIBLE = 40;

/** Sum of exp(logTerm(k)); the terms rise to one mode and fall, so it ends where falling terms no longer count. */
function tail(logTerm: (k: number) => number, from: number, to: number): number {
  let sum = -Infinity;
  let before = -Infinity;
  for (let k = from; k <= to; k++) {
    const term = logTerm(k);
    if (term < before && term < sum - NEGLIGIBLE) break;
    before = term;
    const top = Math.max(sum, term);
    if (top > -Infinity) sum = top + Math.log(Math.exp(sum - top) + Math.exp(term - top));
  }
  return Math.min(1, Math.exp(sum));
}

/** Holm's step-down adjustment of p-values for as many tests (S. Holm, Scand. J. Stat. 6 (1979) 65–70), in the order given. */
export function holm(pValues: readonly number[]): readonly number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let floor = 0;
  order.forEach(({ p, index }, rank) => {
    floor = Math.max(floor, Math.min(1, p * (pValues.length - rank)));
    adjusted[index] = floor;
  });
  return adjusted;
}
