import { checkLabelArrays, type Labels, type Probabilities } from './arrays.ts';
import { writeBelief } from './belief.ts';
import { writePosterior } from './channel.ts';
import { cutForF1, type Cut } from './cut.ts';
import { fitLabelModel, type LabelModel } from './fit.ts';
import { scoresForFit, writeScores } from './scores.ts';

export interface LabelExamination {
  /** P(the given label is wrong), per record. */
  readonly taint: Float64Array;
  /** The most probable true label, per record; the given one where nothing speaks against it. */
  readonly likely: Int32Array;
  readonly cut: Cut;
  /** Σ taint / records. */
  readonly wrongShare: number;
  readonly model: LabelModel;
}

/**
 * Which given labels are wrong, from out-of-sample probabilities alone: a noise channel and a sharpening of the probabilities are fitted
 * together, Bayes' rule gives each record's taint, and the cut maximises the expected F1. Deterministic; ~16 bytes per record beside the
 * arrays. Throws LabelArraysRefused. `docs/forensics/label-errors.md` has the derivation and the blind spots.
 */
export function examineLabels(p: Probabilities, labels: Labels): LabelExamination {
  checkLabelArrays(p, labels);
  const model = fitLabelModel(scoresForFit(p, labels));
  const { taint, likely } = judge(model, p, labels);
  let wrong = 0;
  for (const value of taint) wrong += value;
  return { taint, likely, cut: cutForF1(taint), wrongShare: wrong / p.records, model };
}

function judge(model: LabelModel, p: Probabilities, labels: Labels): Pick<LabelExamination, 'taint' | 'likely'> {
  const { classes, records } = p;
  const scores = new Float64Array(classes);
  const belief = new Float64Array(classes);
  const posterior = new Float64Array(classes);
  const channelled = new Float64Array(classes);
  const taint = new Float64Array(records);
  const likely = new Int32Array(records);
  for (let record = 0; record < records; record++) {
    const given = labels[record] ?? 0;
    const mean = writeScores(p, record, scores, 0);
    const chance = Math.exp((scores[given] ?? 0) + mean);
    writeBelief(model.sharpening, scores, 0, belief, classes);
    writePosterior(model.channel, model.doubt, { belief, given, chance }, posterior, channelled);
    let other = 0;
    let top = given;
    for (let k = 0; k < classes; k++) {
      const share = posterior[k] ?? 0;
      // Summed over the others: 1 − posterior[given] would lose the small ones.
      if (k !== given) other += share;
      if (share > (posterior[top] ?? 0)) top = k;
    }
    taint[record] = Math.min(1, other);
    likely[record] = top;
  }
  return { taint, likely };
}
