import type { CanaryFigures } from '../contracts/activities.ts';
import type { Counters } from '../contracts/gateway.ts';

export interface CanaryLimits {
  readonly requests: number;
  readonly maxErrorRate: number;
  readonly maxConfidenceDrop: number;
  /** Absent: latency is not judged (incidents of earlier versions). */
  readonly maxLatencyRatio?: number;
}

/** Milliseconds. A candidate that is slower by less than this is not slow, whatever the ratio: small models answer within the noise of a queue. */
const LATENCY_ALLOWANCE_MS = 2;
/** With fewer answers of the golden model there is nothing to compare with: a mean of ten hangs on one of them. */
const LEAST_COMPARED = 10;

export type CanaryVerdict =
  { readonly verdict: 'promote' } | { readonly verdict: 'roll-back'; readonly because: string };

/** Promote only what was seen enough and did well; anything else rolls back, also silence and figures that are not numbers. */
export function judgeCanary(figures: CanaryFigures, limits: CanaryLimits): CanaryVerdict {
  if (!(figures.requests >= limits.requests)) {
    return { verdict: 'roll-back', because: `only ${figures.requests} of ${limits.requests} answers were observed` };
  }
  const errorRate = figures.errors / Math.max(1, figures.requests);
  if (!(errorRate <= limits.maxErrorRate)) {
    return {
      verdict: 'roll-back',
      because: `${percent(errorRate)} of the answers failed; ${percent(limits.maxErrorRate)} are allowed`,
    };
  }
  const drop = figures.goldenMeanConfidence - figures.meanConfidence;
  if (!(drop <= limits.maxConfidenceDrop)) {
    return {
      verdict: 'roll-back',
      because: `the mean confidence is ${drop.toFixed(3)} below the golden profile; ${limits.maxConfidenceDrop} is allowed`,
    };
  }
  const { candidate, live } = latenciesOf(figures.counters);
  const most = limits.maxLatencyRatio;
  if (most !== undefined && live !== null) {
    const allowed = Math.max(most * live, live + LATENCY_ALLOWANCE_MS);
    if (!(candidate !== null && candidate <= allowed))
      return {
        verdict: 'roll-back',
        because: `an answer took ${candidate === null ? 'an unknown time' : `${candidate.toFixed(2)} ms`} in the mean, the golden model's beside it ${live.toFixed(2)} ms; ${allowed.toFixed(2)} ms are allowed`,
      };
  }
  return { verdict: 'promote' };
}

/** Mean milliseconds on the gateway; null where too little was answered. */
export function latenciesOf({ arms }: Counters): { readonly candidate: number | null; readonly live: number | null } {
  const mean = (arm: string, least: number): number | null => {
    const seen = arms[arm];
    return seen && seen.requests >= least ? seen.latencyUsSum / seen.requests / 1000 : null;
  };
  return { candidate: mean('candidate', 1), live: mean('live', LEAST_COMPARED) };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
