import type { Interval } from '../../domain/contracts/interval.ts';
import type { GateResult } from '../../domain/contracts/plan.ts';

/** What is known of a gate before anything was measured. */
export type About = Pick<GateResult, 'id' | 'title' | 'threshold'>;

/** A gate that cannot be measured never passes. */
export function unmeasured(about: About, reason: string): GateResult {
  return { ...about, verdict: 'inconclusive', figure: null, golden: null, reason };
}

export const MISSING = 'The candidate or the golden model could not be run on the hold-out.';

export const pp = (share: number): string => `${(share * 100).toFixed(1).replace('-', '−')} percentage points`;
/** The interval of a difference of shares, in percentage points: `95 % interval −1.4 to 2.0`. */
export function span({ low, high, confidence }: Interval): string {
  const signed = (share: number) => (share * 100).toFixed(1).replace('-', '−');
  return `${confidence * 100} % interval ${signed(low)} to ${signed(high)}`;
}
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** What binary fractions may miss a decimal threshold by. */
export const ROUNDING = 1e-9;

interface Judged {
  readonly figure: Interval;
  readonly limit: number;
}
type Shown = Pick<GateResult, 'figure' | 'golden'>;

/**
 * A figure against the most it may be: passes at or below it, fails where the whole interval lies above. Between the two, chance alone may
 * explain the excess, and nobody can tell: undecided, which does not pass.
 */
export function atMost(about: About, { figure, limit }: Judged, shown: Shown, words: string): GateResult {
  return judged(about, { excess: figure.value - limit, surely: figure.low - limit, figure, shown, words });
}

/** The same against the least it may be. */
export function atLeast(about: About, { figure, limit }: Judged, shown: Shown, words: string): GateResult {
  return judged(about, { excess: limit - figure.value, surely: limit - figure.high, figure, shown, words });
}

function judged(
  about: About,
  {
    excess,
    surely,
    figure,
    shown,
    words,
  }: { excess: number; surely: number; figure: Interval; shown: Shown; words: string },
): GateResult {
  if (!Number.isFinite(excess) || !Number.isFinite(surely)) return unmeasured(about, 'The figure is not a number.');
  if (excess <= ROUNDING) return { ...about, ...shown, verdict: 'pass', reason: words };
  if (surely > ROUNDING) return { ...about, ...shown, verdict: 'fail', reason: words };
  return {
    ...about,
    ...shown,
    verdict: 'inconclusive',
    reason: `${words} That is beyond the threshold, but chance may explain it: the ${figure.confidence * 100} % interval reaches across, and more records of the hold-out would tell.`,
  };
}
