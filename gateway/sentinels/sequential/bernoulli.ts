/**
 * Many tests at once that something happens no more often than it may, each a CUSUM of likelihood ratios. Where the true rate is at most
 * `limit`, every factor has mean ≤ 1 whatever came before, so the CUSUM max(1, M)·factor is an e-detector: it passes c within n requests with
 * probability ≤ n / c (Shin, Ramdas and Rinaldo, "E-detectors", New Engl. J. Stat. Data Sci. 2 (2023), definition 2.2 and theorem 2.4; Lorden
 * 1971). The alternative multiplies the odds of the limit by a number told beforehand.
 */
export interface BernoulliBets {
  readonly count: number;
  /** Something happened, or not, to test `at`. Answers ln M. */
  step(at: number, happened: boolean): number;
  evidence(at: number): number;
  /** The greatest ln M since the last call of `best`, with its place. Costs nothing: it is noticed in passing. */
  best(): { readonly at: number; readonly evidence: number };
  clear(at: number): void;
  reset(): void;
}

/** A limit above this says nothing: such a test never gains. */
const MOST = 0.97;

export function bernoulliBets(limits: ArrayLike<number>, oddsRatio: number): BernoulliBets {
  const count = limits.length;
  const gain = new Float64Array(count);
  const loss = new Float64Array(count);
  const ln = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const limit = limits[at] ?? 1;
    if (!(limit < MOST) || limit <= 0) continue;
    const other = (oddsRatio * limit) / (1 + (oddsRatio - 1) * limit);
    gain[at] = Math.log(other / limit);
    loss[at] = Math.log((1 - other) / (1 - limit));
  }
  let bestAt = -1;
  let bestLn = -Infinity;
  return {
    count,
    step(at, happened) {
      const before = ln[at] ?? 0;
      const now = (before > 0 ? before : 0) + ((happened ? gain[at] : loss[at]) ?? 0);
      ln[at] = now;
      if (now > bestLn) {
        bestLn = now;
        bestAt = at;
      }
      return now;
    },
    evidence: (at) => ln[at] ?? 0,
    best() {
      const found = { at: bestAt, evidence: bestLn };
      bestLn = -Infinity;
      bestAt = -1;
      return found;
    },
    clear: (at) => void (ln[at] = 0),
    reset: () => void ln.fill(0),
  };
}
