import { checkLabelArrays, type Labels, type Probabilities } from './arrays.ts';
import { cutForF1, type Cut } from './cut.ts';
import type { LabelModel } from './fit.ts';
import { logistic, logit } from './logit.ts';
import { readLabelsEachWay, type Readings } from './readings.ts';
import { scoresForFit, writeScores } from './scores.ts';
import { taintUnder, workspace } from './taint.ts';

export interface LabelExamination {
  /** P(the given label is wrong), per record. */
  readonly taint: Float64Array;
  /** The most probable true label, per record; the given one where nothing speaks against it. */
  readonly likely: Int32Array;
  readonly cut: Cut;
  /** Σ taint / records. */
  readonly wrongShare: number;
  /** The reading in which nothing was held. */
  readonly model: LabelModel;
}

/**
 * Which given labels are wrong, from out-of-sample probabilities alone: a noise channel and a sharpening of the probabilities are fitted
 * together, in several readings of what noise and overlap are; the taint has the mean of their log-odds, and the cut the highest mean of the
 * F1 that they expect. Deterministic; ~60 bytes per record beside the arrays. Throws LabelArraysRefused. `docs/forensics/label-errors.md` has
 * the derivation and the blind spots.
 */
export function examineLabels(p: Probabilities, labels: Labels): LabelExamination {
  checkLabelArrays(p, labels);
  const readings = readLabelsEachWay(scoresForFit(p, labels));
  const { taint, likely, byReading } = judge(readings, p, labels);
  let wrong = 0;
  for (const value of taint) wrong += value;
  return {
    taint,
    likely,
    cut: cutForF1(taint, byReading),
    wrongShare: wrong / p.records,
    model: readings.fitted.model,
  };
}

interface Judgement extends Pick<LabelExamination, 'taint' | 'likely'> {
  /** The taint under each reading, [readings][records]. */
  readonly byReading: readonly Float64Array[];
}

function judge({ all }: Readings, p: Probabilities, labels: Labels): Judgement {
  const { classes, records } = p;
  const scores = new Float64Array(classes);
  const room = workspace(classes);
  const total = new Float64Array(classes);
  const taint = new Float64Array(records);
  const likely = new Int32Array(records);
  const byReading = all.map(() => new Float64Array(records));
  for (let record = 0; record < records; record++) {
    const given = labels[record] ?? 0;
    const mean = writeScores(p, record, scores, 0);
    const seen = { scores, offset: 0, given, chance: Math.exp((scores[given] ?? 0) + mean) };
    total.fill(0);
    let odds = 0;
    for (let at = 0; at < all.length; at++) {
      const reading = all[at];
      const column = byReading[at];
      if (reading === undefined || column === undefined) continue;
      const share = taintUnder(reading.model, seen, room);
      column[record] = share;
      odds += logit(share);
      for (let k = 0; k < classes; k++) total[k] = (total[k] ?? 0) + (room.posterior[k] ?? 0);
    }
    taint[record] = logistic(odds / all.length);
    likely[record] = mostProbable(total, given);
  }
  return { taint, likely, byReading };
}

/** The class of the largest share; the given one where none is larger. */
function mostProbable(shares: Float64Array, given: number): number {
  let top = given;
  for (let k = 0; k < shares.length; k++) if ((shares[k] ?? 0) > (shares[top] ?? 0)) top = k;
  return top;
}
