/**
 * Limits that hold although the profile is a sample. A profile of n records knows a rate only so well; whoever tests the stream against the
 * sample's own rate raises an alarm sooner or later on every stream that is merely another sample.
 */

/** The chance that any of a sentinel's limits is wrong because the hold-out happened to be unlike the population. */
export const PROFILE_DOUBT = 0.05;
/** A shift of the mean below this many deviations is nobody's alarm, however sure one can be of it. */
export const LEAST_SHIFT = 0.1;

/**
 * The greatest rate that a sample with `happened` of `n` leaves possible: n·KL(observed ‖ rate) = ln(1/doubt), Chernoff's bound, valid for every n
 * and rate (Hoeffding 1963, theorem 1).
 */
export function upperRate(happened: number, n: number, doubt: number): number {
  if (n <= 0 || happened >= n) return 1;
  const observed = Math.max(0, happened) / n;
  const allowed = Math.log(1 / doubt) / n;
  let [low, high] = [observed, 1];
  for (let turn = 0; turn < 60; turn++) {
    const middle = (low + high) / 2;
    if (divergence(observed, middle) > allowed) high = middle;
    else low = middle;
  }
  return high;
}

function divergence(p: number, q: number): number {
  const first = p > 0 ? p * Math.log(p / q) : 0;
  const second = p < 1 ? (1 - p) * Math.log((1 - p) / (1 - q)) : 0;
  return first + second;
}

/** How far a mean may be from the sample's: normal approximation, at both sides, and never below LEAST_SHIFT deviations. */
export function meanTolerance(sd: number, n: number, doubt: number): number {
  return Math.max(LEAST_SHIFT, (sd * normalQuantile(1 - doubt / 2)) / Math.sqrt(n));
}

/** Abramowitz and Stegun 26.2.23 for the upper half; error below 4.5e-4, which a tolerance does not feel. */
function normalQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(Math.min(0.5, 1 - p)));
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}
