/** One alarm in 30 days at one request a second. */
export const REQUESTS_PER_ALARM = 30 * 24 * 3600;

/**
 * What ln of an e-detector must reach so that all tests together alarm at most once in `requestsPerAlarm` requests in the mean, clean traffic
 * given: each of `tests` tests of each of `sentinels` sentinels has an equal share (Bonferroni).
 */
export function thresholdFor(requestsPerAlarm: number, sentinels: number, tests: number): number {
  return Math.log(requestsPerAlarm * sentinels * tests);
}

/** What every sentinel is made with. */
export interface Budget {
  readonly requestsPerAlarm: number;
  readonly sentinels: number;
  /** Threshold for a sentinel that runs this many tests. */
  threshold(tests: number): number;
}

export function budgetOf(requestsPerAlarm: number, sentinels: number): Budget {
  return {
    requestsPerAlarm,
    sentinels,
    threshold: (tests) => thresholdFor(requestsPerAlarm, sentinels, tests),
  };
}
