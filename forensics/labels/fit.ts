import { addRecord, initialSharpening, noSums, step, writeBelief, type Sharpening } from './belief.ts';
import { channelOf, initialChannel, sharesOf, writePosterior, type NoiseChannel } from './channel.ts';
import type { Scores } from './scores.ts';

/** How given labels came about: a true label drawn from the sharpened probabilities, then passed through a noisy channel. */
export interface LabelModel {
  readonly sharpening: Sharpening;
  readonly channel: NoiseChannel;
}

const MOST_ROUNDS = 60;
/** Steps of the sharpening per look at the posterior: it need not be at its maximum, only rise (generalised EM). */
const STEPS = 2;
/** No probability of the channel and not β moved by more than this. */
const SETTLED = 1e-4;

/** Maximum a posteriori by generalised EM (A. P. Dempster, N. M. Laird and D. B. Rubin, J. R. Stat. Soc. B 39 (1977) 1–38). */
export function fitLabelModel(scores: Scores): LabelModel {
  const shares = sharesOf(scores.labels, scores.classes);
  let model: LabelModel = { sharpening: initialSharpening(scores.classes), channel: initialChannel(scores.classes) };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = improve(model, scores, shares);
    const moved = distance(model, next);
    model = next;
    if (moved < SETTLED) break;
  }
  return model;
}

function improve(model: LabelModel, scores: Scores, shares: Float64Array): LabelModel {
  const { classes, labels, values } = scores;
  const counts = new Float64Array(classes * classes);
  const belief = new Float64Array(classes);
  const posterior = new Float64Array(classes);
  let sharpening = model.sharpening;
  for (let turn = 0; turn < STEPS; turn++) {
    const sums = noSums(classes);
    for (let row = 0; row < labels.length; row++) {
      const given = labels[row] ?? 0;
      writeBelief(model.sharpening, values, row * classes, belief, classes);
      writePosterior(model.channel, belief, given, posterior);
      if (turn === 0) for (let j = 0; j < classes; j++) add(counts, j * classes + given, posterior[j] ?? 0);
      else writeBelief(sharpening, values, row * classes, belief, classes);
      addRecord(sums, belief, posterior, values, row * classes);
    }
    sharpening = step(sharpening, sums);
  }
  return { sharpening, channel: channelOf(counts, shares) };
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
