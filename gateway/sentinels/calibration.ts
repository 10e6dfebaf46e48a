import type { StreamProfile } from '../../domain/contracts/golden.ts';
import type { Budget } from './budget.ts';
import type { Feedback } from './event.ts';
import { meanTolerance, PROFILE_DOUBT, upperRate } from './limits.ts';
import { bernoulliBets } from './sequential/bernoulli.ts';
import { meanBets, TESTS_PER_MEAN } from './sequential/mean.ts';
import type { Finding, State } from './sentinel.ts';

const ODDS = 3;
const TESTS = TESTS_PER_MEAN + 1;

/** What labels that come back say: whether the model is wrong more often than on the hold-out, and whether it is as sure as it is right. */
export interface CalibrationSentinel {
  readonly name: string;
  readonly kind: 'drift';
  feedback(feedback: Feedback): Finding | null;
  state(): State;
}

/** Who sends labels can lie: the labels of one client MUST NOT be all there is. */
export function calibrationSentinel(stream: StreamProfile, budget: Budget): CalibrationSentinel {
  const { count, accuracy } = stream;
  const { mean, sd } = stream.calibration;
  const unit = Math.max(sd, 1e-3);
  const gap = meanBets([0], [meanTolerance(1, count, PROFILE_DOUBT / 2)]);
  const wrong = bernoulliBets([upperRate((1 - accuracy) * count, count, PROFILE_DOUBT / 2)], ODDS);
  const threshold = budget.threshold(TESTS);
  let labels = 0;
  let evidence = 0;
  return {
    name: 'calibration',
    kind: 'drift',
    feedback({ confidence, predicted, label }) {
      labels++;
      const right = predicted === label;
      const unsure = gap.step(0, (confidence - (right ? 1 : 0) - mean) / unit);
      const errs = wrong.step(0, !right);
      evidence = Math.max(unsure, errs);
      if (evidence < threshold) return null;
      const shift = unit * gap.shift(0);
      gap.reset();
      wrong.reset();
      return {
        statement:
          errs >= unsure
            ? `The answers are wrong more often than on the golden hold-out, by the labels that came back.`
            : `The model is ${shift > 0 ? 'surer' : 'less sure'} than it is right, by ${Math.abs(shift).toFixed(3)} more than on the golden hold-out.`,
        evidence,
        threshold,
        client: null,
        figures: { labels, gap: mean + shift },
      };
    },
    state: () => ({ labels, gap: mean + unit * gap.shift(0), evidence, threshold }),
  };
}
