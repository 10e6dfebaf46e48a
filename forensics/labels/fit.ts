import { addRecord, initialSharpening, logPrior, noSums, step, writeBelief, type Sharpening } from './belief.ts';
import { channelOf, initialChannel, sharesOf, writePosterior, type ChannelForm, type NoiseChannel } from './channel.ts';
import type { Scores } from './scores.ts';

/** How given labels came about: a true label drawn from the sharpened probabilities, then a guess in doubt or a noisy channel. */
export interface LabelModel {
  readonly sharpening: Sharpening;
  readonly channel: NoiseChannel;
  readonly form: ChannelForm;
  /** The share of labels that follow the model's own doubt, whatever the true one is: annotators err on the ambiguous records. */
  readonly doubt: number;
}

/** What is assumed before the labels speak. Of `beta` null is fitted under its prior, a number is held. */
export interface Hypothesis {
  readonly form: ChannelForm;
  readonly doubt: number;
  readonly beta: number | null;
}

export interface Fitted {
  readonly model: LabelModel;
  readonly logLikelihood: number;
  /** Of the labels and of β where it is fitted, up to a constant. */
  readonly logPosterior: number;
}

const MOST_ROUNDS = 60;
/** Steps of the sharpening per look at the posterior: it need not be at its maximum, only rise (generalised EM). */
const STEPS = 2;
/** No probability of the channel and not β moved by more than this. */
const SETTLED = 1e-4;

/** Maximum a posteriori by generalised EM (A. P. Dempster, N. M. Laird and D. B. Rubin, J. R. Stat. Soc. B 39 (1977) 1–38). */
export function fit(scores: Scores, { form, doubt, beta }: Hypothesis): Fitted {
  const { classes, labels } = scores;
  const shares = sharesOf(labels, classes);
  let at: Fitted = {
    model: { sharpening: initialSharpening(classes, beta), channel: initialChannel(classes), form, doubt },
    logLikelihood: Number.NEGATIVE_INFINITY,
    logPosterior: Number.NEGATIVE_INFINITY,
  };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = improve(at.model, scores, shares, beta !== null);
    const moved = distance(at.model, next.model);
    at = next;
    if (moved < SETTLED) break;
  }
  return at;
}

/** One round; the likelihood is that of the model it began with. */
function improve(model: LabelModel, scores: Scores, shares: Float64Array, held: boolean): Fitted {
  const { classes, labels, values, chance } = scores;
  const counts = new Float64Array(classes * classes);
  const belief = new Float64Array(classes);
  const posterior = new Float64Array(classes);
  const channelled = new Float64Array(classes);
  let sharpening = model.sharpening;
  let logLikelihood = 0;
  for (let turn = 0; turn < STEPS; turn++) {
    const sums = noSums(classes);
    for (let row = 0; row < labels.length; row++) {
      const offset = row * classes;
      const seen = { belief, given: labels[row] ?? 0, chance: chance[row] ?? 0 };
      writeBelief(model.sharpening, values, offset, belief, classes);
      const likelihood = writePosterior(model.channel, model.doubt, seen, posterior, channelled);
      if (turn === 0) {
        logLikelihood += Math.log(likelihood);
        for (let j = 0; j < classes; j++) add(counts, j * classes + seen.given, channelled[j] ?? 0);
      } else writeBelief(sharpening, values, offset, belief, classes);
      addRecord(sums, belief, posterior, values, offset);
    }
    sharpening = step(sharpening, sums, labels.length, held);
  }
  const logPosterior = logLikelihood + (held ? 0 : logPrior(model.sharpening, labels.length));
  return {
    model: { ...model, sharpening, channel: channelOf(counts, shares, model.form) },
    logLikelihood,
    logPosterior,
  };
}

function add(counts: Float64Array, at: number, weight: number): void {
  counts[at] = (counts[at] ?? 0) + weight;
}

function distance(before: LabelModel, after: LabelModel): number {
  let most = Math.abs(before.sharpening.beta - after.sharpening.beta);
  for (let at = 0; at < after.channel.matrix.length; at++)
    most = Math.max(most, Math.abs((before.channel.matrix[at] ?? 0) - (after.channel.matrix[at] ?? 0)));
  return most;
}
