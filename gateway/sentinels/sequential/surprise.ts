const KAPPA = 0.25;

/**
 * Tests that p-values are not too small too often. The calibrator κ·p^(κ−1) has mean 1 under a uniform p (Vovk and Wang, Ann. Stat. 49 (2021)
 * 1736–1754); mixed with 1 it bets that a share of the requests is strange. E-detectors as in `bernoulli.ts`, `shares.length` per place. No
 * single request may be more surprising than `leastP`: a law of the tail is not to be believed further out.
 */
export interface SurpriseBets {
  step(at: number, p: number): number;
  clear(at: number): void;
}

export function surpriseBets(count: number, shares: readonly number[], leastP: number): SurpriseBets {
  const ln = new Float64Array(count * shares.length);
  return {
    step(at, p) {
      const value = KAPPA * Math.pow(p > leastP ? Math.min(1, p) : leastP, KAPPA - 1);
      let best = -Infinity;
      for (let k = 0, to = at * shares.length; k < shares.length; k++, to++) {
        const share = shares[k] ?? 0;
        const before = ln[to] ?? 0;
        const now = (before > 0 ? before : 0) + Math.log(1 - share + share * value);
        ln[to] = now;
        if (now > best) best = now;
      }
      return best;
    },
    clear: (at) => void ln.fill(0, at * shares.length, (at + 1) * shares.length),
  };
}
