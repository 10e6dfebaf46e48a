import type { Scores } from '../predictor/predictor.ts';
import { normalise } from '../predictor/predictor.ts';
import { predictionTail } from '../statistics/student.ts';

/** What is below this was rounded away by softmax in one model and not in another. */
const LEAST_PROBABILITY = 1e-7;

/** Fewer twins say too little of how far twins lie apart. */
export const LEAST_TWINS = 5;

export interface Kinship {
  /** Likeness of the suspect to the own model, and to each twin: Fisher's z of the cosine of their answers. */
  readonly own: number;
  readonly twins: readonly number[];
  /** How many deviations of the twins the own model is nearer to the suspect, and how probable that is without descent. */
  readonly t: number;
  readonly pValue: number;
  /** Share of the family at least as near to the suspect as the own model: without descent no less than any rank is as probable. */
  readonly rank: number;
  /** Is the own model one like its twins? Two-sided p-value; where it is not, the test says nothing. */
  readonly familyPValue: number;
}

/**
 * Does the suspect descend from this very model? Twins of the own model are trained as it was, on its records, from other random numbers: so a
 * suspect that was made without the own model is as near to it as to any twin, whatever it is, whoever made it, and even if it was trained on
 * the same records. A copy is nearer to the one it was made from. `answers` are of one set of queries, row-major.
 */
export function kinship(suspect: Scores, own: Scores, twins: readonly Scores[]): Kinship {
  if (twins.length < LEAST_TWINS) throw new RangeError(`${twins.length} twins; at least ${LEAST_TWINS} are needed`);
  const said = evidence(suspect);
  const family = [own, ...twins].map(evidence);
  const [nearness = NaN, ...others] = family.map((member) => likeness(said, member));
  const { t, pValue } = predictionTail(nearness, others);
  const [standing = NaN, ...usual] = family.map((member) => meanLikeness(member, family));
  const place = predictionTail(standing, usual).pValue;
  return {
    own: nearness,
    twins: others,
    t,
    pValue,
    rank: (1 + others.filter((each) => each >= nearness).length) / family.length,
    familyPValue: 2 * Math.min(place, 1 - place),
  };
}

/** Logarithms of the probabilities, each row less its mean: the logits, whether the model gives them or their softmax. */
function evidence(scores: Scores): Float64Array {
  const { classes } = scores;
  const given = Float64Array.from(scores.scores);
  // A distribution is given back as it is; anything else are logits.
  if (normalise(scores).scores === scores.scores)
    given.forEach((value, index) => (given[index] = Math.log(Math.max(LEAST_PROBABILITY, value))));
  for (let from = 0; from < given.length; from += classes) {
    const row = given.subarray(from, from + classes);
    const mean = row.reduce((sum, value) => sum + value, 0) / classes;
    row.forEach((value, label) => (row[label] = value - mean));
  }
  return given;
}

/** Below 1 by this at least: two times the same file has no infinite likeness. */
const ROUNDING = 1e-12;

function likeness(a: Float64Array, b: Float64Array): number {
  let [both, first, second] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [left, right] = [a[at] ?? 0, b[at] ?? 0];
    both += left * right;
    first += left * left;
    second += right * right;
  }
  return Math.atanh(Math.min(1 - ROUNDING, both / Math.sqrt(first * second)));
}

function meanLikeness(member: Float64Array, family: readonly Float64Array[]): number {
  const others = family.filter((each) => each !== member);
  return others.reduce((sum, other) => sum + likeness(member, other), 0) / others.length;
}
