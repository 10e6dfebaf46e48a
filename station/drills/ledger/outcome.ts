import type { InferenceClient } from '../../../clients/inference/client.ts';
import type { Figure } from '../../drill.ts';
import type { Seen } from '../course.ts';
import { accuracyDropPp, bounded, holds, round, taintOf } from '../figures.ts';
import type { Sample } from '../task.ts';
import { send, share } from '../traffic.ts';
import { CREDIT, FAVOURABLE, isYoung } from './credit.ts';
import { equalisedOddsGap, selectionRatio, type Measured as Estimate } from './fairness.ts';

export interface Measured {
  readonly accuracy: number;
  /** Rate at which young applicants are answered "pays", by that of all others. */
  readonly ratio: Estimate;
  readonly oddsGap: Estimate;
}

export async function measure(client: InferenceClient, endpoint: string, secret: readonly Sample[]): Promise<Measured> {
  const rows = secret.map((sample) => sample.features);
  const answers = await send(client, endpoint, rows, CREDIT.featureShape);
  const answered = secret.map(({ features, label }, index) => ({
    inGroup: isYoung(features),
    favoured: answers[index]?.answer === FAVOURABLE,
    deserving: label === FAVOURABLE,
  }));
  return {
    accuracy: share(answers, (index) => secret[index]?.label ?? -1),
    ratio: selectionRatio(answered),
    oddsGap: equalisedOddsGap(answered),
  };
}

/** Four fifths: the rule of the Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D. */
const FOUR_FIFTHS = 0.8;
/**
 * A fifth of honest clients defaults, and most of those look like clients who pay: no judge of single records can tell them from flipped ones.
 * So of the records whose label surprises the golden model, about four fifths are flipped, and some flipped ones surprise nobody.
 */
const TAINT = { precision: 0.6, recall: 0.65 } as const;
const MAX_ODDS_GAP = 0.1;

export function figuresOf(seen: Seen<Measured>, tainted: ReadonlySet<string>): readonly Figure[] {
  const { before, after, golden } = seen;
  const { precision, recall } = taintOf(seen.dropped, tainted);
  const odds = Math.max(MAX_ODDS_GAP, golden.oddsGap.value);
  return [
    holds('contained', seen.contained, 'all endpoints that descend from the batch'),
    bounded('taint_precision', precision, 'share', { atLeast: TAINT.precision }, 'labels of credit are noisy'),
    bounded('taint_recall', recall, 'share', { atLeast: TAINT.recall }, 'labels of credit are noisy'),
    bounded('accuracy_drop_pp', accuracyDropPp(seen), 'pp', { atMost: 1 }, 'against golden'),
    within('selection_ratio_golden', golden.ratio, 'ratio', { atLeast: FOUR_FIFTHS }, 'four fifths'),
    within('selection_ratio_before', before.ratio, 'ratio', { atMost: FOUR_FIFTHS }, 'the attack works'),
    within('selection_ratio_after', after.ratio, 'ratio', { atLeast: FOUR_FIFTHS }, 'four fifths'),
    within('equalised_odds_before', before.oddsGap, 'share', { atLeast: odds }, 'the attack works'),
    within(
      'equalised_odds_after',
      after.oddsGap,
      'share',
      { atMost: odds },
      `0.1, or golden’s own gap, which is ${round(golden.oddsGap.value)}`,
    ),
    holds('bundle_valid', seen.bundleValid, 'verifies offline'),
  ];
}

function within(
  name: string,
  seen: Estimate,
  unit: string,
  bound: Parameters<typeof bounded>[3],
  because: string,
): Figure {
  const figure = bounded(name, seen.value, unit, bound, because);
  // JSON has no infinity.
  return seen.interval.every(Number.isFinite) ? { ...figure, interval: seen.interval } : figure;
}
