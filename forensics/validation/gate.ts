import type { Interval } from '../../domain/contracts/interval.ts';
import type { GateResult } from '../../domain/contracts/plan.ts';

/** What is known of a gate before anything was measured. */
export type About = Pick<GateResult, 'id' | 'title' | 'threshold'>;

/** A gate that cannot be measured never passes. */
export function unmeasured(about: About, reason: string): GateResult {
  return { ...about, verdict: 'inconclusive', figure: null, golden: null, reason };
}

export const MISSING = 'The candidate or the golden model could not be run on the hold-out.';

export const pp = (share: number): string => `${(share * 100).toFixed(1)} percentage points`;
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** What binary fractions may miss a decimal threshold by. */
export const ROUNDING = 1e-9;

/**
 * A figure against the most it may be: passes at or below it, fails where the whole interval lies above. Between the two, chance alone may
 * explain the excess, and nobody can tell: undecided, which does not pass.
 */
export function atMost(
  about: About,
  judged: { readonly figure: Interval; readonly limit: number },
  shown: Pick<GateResult, 'figure' | 'golden'>,
  words: string,
): GateResult {
  const { figure, limit } = judged;
  if (!Number.isFinite(figure.value)) return unmeasured(about, 'The figure is not a number.');
  if (figure.value <= limit + ROUNDING) return { ...about, ...shown, verdict: 'pass', reason: words };
  if (figure.low > limit + ROUNDING) return { ...about, ...shown, verdict: 'fail', reason: words };
  return {
    ...about,
    ...shown,
    verdict: 'inconclusive',
    reason: `${words} That is more than allowed, and the ${percent(figure.confidence)} interval reaches below: more records of the hold-out would tell.`,
  };
}
