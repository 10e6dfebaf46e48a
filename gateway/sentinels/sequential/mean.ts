/** Deviations further out than this are counted as this far: a bet on a bounded figure cannot lose more than it has. */
export const BET_CLIP = 3;
/** What is bet on each deviation, as shares of the stake at which the widest loss would cost everything. */
const STAKES = [0.3, 0.9] as const;
/** Tests that one watched figure costs: two sides and the stakes. */
export const TESTS_PER_MEAN = 2 * STAKES.length;

/**
 * Tests that the means of bounded figures stay within tolerances, by betting (Waudby-Smith and Ramdas, JRSS B 86 (2024) 1–27) in the form of an
 * e-detector: each capital is multiplied by 1 + λ(±(z − centre) − tolerance), whose mean is at most 1 while the mean of z is within the
 * tolerance, whatever its law, and is not let fall below 1 (see `bernoulli.ts` for what that promises).
 */
export interface MeanBets {
  /** One figure, already in deviations; clipped here. Answers the greater ln of its capitals. */
  step(at: number, z: number): number;
  /** Which way and how far the running mean is from the centre, in deviations: over about the last 200 figures. */
  shift(at: number): number;
  reset(): void;
}

const MEMORY = 1 / 200;

export function meanBets(centres: ArrayLike<number>, tolerances: ArrayLike<number>): MeanBets {
  const count = centres.length;
  const ln = new Float64Array(count * TESTS_PER_MEAN);
  const running = new Float64Array(count);
  const widest = Float64Array.from(
    { length: count },
    (_, at) => 1 / (BET_CLIP + Math.abs(centres[at] ?? 0) + (tolerances[at] ?? 0)),
  );
  return {
    step(at, z) {
      const gap = (z <= BET_CLIP ? (z >= -BET_CLIP ? z : -BET_CLIP) : BET_CLIP) - (centres[at] ?? 0);
      const tolerance = tolerances[at] ?? 0;
      const stake = widest[at] ?? 0;
      running[at] = (running[at] ?? 0) + MEMORY * (gap - (running[at] ?? 0));
      let best = -Infinity;
      for (let k = 0, base = at * TESTS_PER_MEAN; k < TESTS_PER_MEAN; k++) {
        const before = ln[base + k] ?? 0;
        const bet = (k & 1 ? -gap : gap) - tolerance;
        const factor = 1 + (STAKES[k >> 1] ?? 0) * stake * bet;
        const now = (before > 0 ? before : 0) + Math.log(factor);
        ln[base + k] = now;
        if (now > best) best = now;
      }
      return best;
    },
    shift: (at) => running[at] ?? 0,
    reset: () => void ln.fill(0),
  };
}
