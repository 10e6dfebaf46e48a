import { fit, type Fitted, type Hypothesis } from './fit.ts';
import type { Scores } from './scores.ts';

/**
 * Where classes overlap, the likelihood cannot tell a wrong label from a true one that surprises, nor an annotator in doubt from either. So the
 * same arrays are read in five ways, and each reading has a say of its own in the taint and in the cut.
 */
const READINGS = {
  /** As the labels themselves would have it, under a prior. */
  fitted: { form: 'free', doubt: 0, beta: null },
  /** The probabilities are nearly what they should be: a label that surprises is mostly true. Rates by class, and one for all. */
  overlap: { form: 'free', doubt: 0, beta: 1.15 },
  evenOverlap: { form: 'tied', doubt: 0, beta: 1.15 },
  /** The classes do not overlap: a label that surprises is mostly wrong. */
  noise: { form: 'free', doubt: 0, beta: 4 },
  /** Annotators mostly guessed as the classifier would. */
  guesses: { form: 'free', doubt: 0.6, beta: 2 },
} as const satisfies Readonly<Record<string, Hypothesis>>;

export interface Readings {
  /** In which β was fitted too: what is told of the noise is taken from it. */
  readonly fitted: Fitted;
  readonly all: readonly Fitted[];
}

export function readLabelsEachWay(scores: Scores): Readings {
  const fitted = fit(scores, READINGS.fitted);
  const { overlap, evenOverlap, noise, guesses } = READINGS;
  return { fitted, all: [fitted, ...[overlap, evenOverlap, noise, guesses].map((held) => fit(scores, held))] };
}
