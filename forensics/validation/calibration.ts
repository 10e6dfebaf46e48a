import type { GateResult } from '../../domain/contracts/plan.ts';
import { bootstrap, createRandom } from '../statistics/bootstrap.ts';
import { calibrationError } from '../statistics/calibration.ts';
import type { OnHoldout } from './accuracy.ts';
import { atMost, MISSING, pp, unmeasured, span } from './gate.ts';

/** A repaired model may be this much worse calibrated than the golden one, even where that one is above the threshold itself. */
const ECE_ALLOWANCE = 0.02;
const SEED = 1;

export function calibrationGate({ candidate, golden, labels, thresholds }: OnHoldout): GateResult {
  const allowed = Math.max(thresholds.maxEce, (golden?.evaluation.ece ?? 0) + ECE_ALLOWANCE);
  const about = {
    id: 'calibration',
    title: 'Expected calibration error',
    threshold: `at most ${allowed.toFixed(3)} (${thresholds.maxEce}, or the golden model's plus ${ECE_ALLOWANCE} if higher)`,
  };
  if (!candidate || !golden || labels.length === 0) return unmeasured(about, MISSING);
  const [own, reference] = [candidate, golden].map(({ sureness }) =>
    bootstrap(labels.length, (rows) => calibrationError(sureness, rows), createRandom(SEED)),
  );
  if (!own || !reference || Number.isNaN(own.value))
    return unmeasured(about, 'The candidate gives scores that are not numbers.');
  return atMost(
    about,
    { figure: own, limit: allowed },
    { figure: own, golden: Number.isNaN(reference.value) ? null : reference },
    `The top score misses the accuracy by ${pp(own.value)} on average (${span(own)}, bootstrap).`,
  );
}
