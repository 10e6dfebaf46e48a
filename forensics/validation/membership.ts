import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { GateResult, ValidationFigure } from '../../domain/contracts/plan.ts';
import { answersTo } from '../evaluation/loss.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { createRandom } from '../statistics/bootstrap.ts';
import { areaUnderRoc } from '../statistics/roc.ts';
import { atMost, unmeasured } from './gate.ts';
import { recordsAt, sample } from './sample.ts';

/** Losses in nats of a model on records it was trained on, and on the hold-out. */
export interface Exposure {
  readonly members: ArrayLike<number>;
  readonly others: ArrayLike<number>;
}

/** Enough for an interval of ±2 points; more only cost time. */
const MAX_MEMBERS = 2000;
const SEED = 4;
/** A repaired model may be this much more exposed than the golden one, even where that one is above the threshold itself. */
const ALLOWANCE = 0.03;

/** Losses on a seeded sample of the training records and on the hold-out. */
export async function exposureOf(
  model: Predictor,
  training: DatasetColumns,
  holdout: DatasetColumns,
  shape: readonly number[],
): Promise<Exposure> {
  const rows = sample(training.count, MAX_MEMBERS, createRandom(SEED));
  return {
    members: (await answersTo(model, recordsAt(training, rows), shape)).losses,
    others: (await answersTo(model, holdout, shape)).losses,
  };
}

const MEMBERSHIP = { id: 'membership', title: 'Exposure of training records by their loss' } as const;

/** Told where there is no gate, so that nobody takes its absence for a pass. */
export function unknownExposure(): ValidationFigure {
  return {
    ...MEMBERSHIP,
    figure: null,
    golden: null,
    words: 'It is not on record what the candidate was trained on.',
  };
}

/**
 * The loss threshold attack (S. Yeom et al., CSF 2018): whoever sees a small loss guesses that the record was trained on. Its area under the
 * ROC curve over all thresholds; 0.5 is guessing. The strongest attacks know more; this is the least that anybody can do.
 */
export function membershipGate(
  { candidate, golden }: { readonly candidate: Exposure; readonly golden: Exposure },
  maxMembershipAuc: number,
): GateResult {
  const own = areaUnderRoc(candidate.members, candidate.others);
  const reference = areaUnderRoc(golden.members, golden.others);
  const allowed = Math.max(maxMembershipAuc, reference.value + ALLOWANCE);
  const about = {
    ...MEMBERSHIP,
    threshold: `at most ${maxMembershipAuc} (0.5 is guessing), or the golden model's plus ${ALLOWANCE} if higher`,
  };
  if (Number.isNaN(own.value) || Number.isNaN(reference.value))
    return unmeasured(about, 'There are too few training records or too few of the hold-out.');
  return atMost(
    about,
    { figure: own, limit: allowed },
    { figure: own, golden: reference },
    `A smaller loss means a training record in ${(own.value * 100).toFixed(1)} of 100 pairs (${candidate.members.length} training records, ${candidate.others.length} of the hold-out).`,
  );
}
