import { PROFILE_QUANTILES } from '../../domain/contracts/golden.ts';

/** Requests of one window; windows follow one another. */
export const PSI_WINDOW = 500;
/** The quarters of the hold-out, and its upper and lower twentieth: shares of 5, 20, 25, 25, 20 and 5 %. */
const CUTS = PROFILE_QUANTILES.map((p, at) => ({ p, at })).filter(({ p }) => p >= 0.05 && p <= 0.95);
const FLOOR = 1e-4;

/**
 * Population stability index of each feature over the last whole window, and the greatest Kolmogorov–Smirnov distance: figures for people to look
 * at. Both are also what feature-drift tests; but a test of windows by the χ² quantile of PSI (Yurdakul 2018: PSI / (1/n + 1/m) ~ χ² with one less
 * than its bins) is right only asymptotically, which at one alarm in a month is nowhere, so no alarm hangs on it.
 */
export interface PsiFigures {
  count(row: Float32Array): void;
  last(): Readonly<Record<string, number | null>>;
}

export function psiFigures(
  features: readonly { readonly quantiles: readonly number[] }[],
  watched: readonly number[],
  holdout: number,
): PsiFigures {
  const bins = CUTS.length + 1;
  // Cuts that are equal are one: an atom is not split.
  const cuts = watched.map((at) => {
    const seen = new Map<number, number>();
    for (const cut of CUTS) seen.set(Math.fround(features[at]?.quantiles[cut.at] ?? 0), cut.p);
    return { limits: Float32Array.from(seen.keys()), shares: [...seen.values()] };
  });
  const counts = new Uint32Array(watched.length * bins);
  let seen = 0;
  let last: Record<string, number | null> = { psi: null, psiFeature: null, psiQuantile: null, ks: null };
  const close = (): void => {
    let [most, feature, level, ks] = [0, -1, 0, 0];
    cuts.forEach(({ shares }, k) => {
      let psi = 0;
      let below = 0;
      let before = 0;
      for (let bin = 0; bin <= shares.length; bin++) {
        const upTo = shares[bin] ?? 1;
        const expected = Math.max(upTo - before, FLOOR);
        const share = (counts[k * bins + bin] ?? 0) / seen;
        psi += (Math.max(share, FLOOR) - expected) * Math.log(Math.max(share, FLOOR) / expected);
        below += share;
        ks = Math.max(ks, Math.abs(below - upTo));
        before = upTo;
      }
      if (psi > most)
        [most, feature, level] = [psi, watched[k] ?? -1, chiSquare(psi / (1 / holdout + 1 / seen), shares.length)];
    });
    last = { psi: most, psiFeature: feature, psiQuantile: level, ks };
    counts.fill(0);
    seen = 0;
  };
  return {
    count(row) {
      for (let k = 0; k < watched.length; k++) {
        const limits = cuts[k]?.limits;
        if (!limits) continue;
        const value = row[watched[k] ?? 0] ?? NaN;
        let bin = 0;
        while (bin < limits.length && value > (limits[bin] ?? 0)) bin++;
        counts[k * bins + bin] = (counts[k * bins + bin] ?? 0) + 1;
      }
      seen++;
      if (seen === PSI_WINDOW) close();
    },
    last: () => last,
  };
}

/** Distribution function of χ² by the cube-root normal approximation of Wilson and Hilferty (1931). */
function chiSquare(value: number, degrees: number): number {
  if (degrees < 1) return 0;
  const z = (Math.cbrt(value / degrees) - (1 - 2 / (9 * degrees))) / Math.sqrt(2 / (9 * degrees));
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}
