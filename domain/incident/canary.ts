import type { CanaryFigures } from '../contracts/activities.ts';

export interface CanaryLimits {
  readonly requests: number;
  readonly maxErrorRate: number;
  readonly maxConfidenceDrop: number;
}

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
  return { verdict: 'promote' };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
