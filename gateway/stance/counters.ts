import type { ArmCounters, Counters } from '../../domain/contracts/gateway.ts';

/** Which part of a stance answered. `observed` runs beside a shadow and answers nobody. */
export type Arm = 'live' | 'candidate' | 'shadow' | 'fallback' | 'observed';

/** What an endpoint counted since its stance was taken. */
export interface Tally {
  answered(arm: Arm, scores: ArrayLike<number>, rows: number, latencyUs: number): void;
  failed(arm: Arm): void;
  refused(): void;
  invalid(): void;
  counters(): Counters;
}

interface ArmTally {
  requests: number;
  errors: number;
  byClass: number[];
  confidenceSum: number;
  latencyUsSum: number;
}

export function createTally(): Tally {
  const arms = new Map<Arm, ArmTally>();
  let requests = 0;
  let refused = 0;
  let invalid = 0;
  let errors = 0;
  const of = (arm: Arm): ArmTally => {
    const known = arms.get(arm);
    if (known) return known;
    const made: ArmTally = { requests: 0, errors: 0, byClass: [], confidenceSum: 0, latencyUsSum: 0 };
    arms.set(arm, made);
    return made;
  };
  return {
    answered(arm, scores, rows, latencyUs) {
      const tally = of(arm);
      tally.requests += 1;
      tally.latencyUsSum += latencyUs;
      if (arm !== 'observed') requests += 1;
      const classes = rows > 0 ? scores.length / rows : 0;
      if (!Number.isInteger(classes) || classes < 1) return;
      while (tally.byClass.length < classes) tally.byClass.push(0);
      let confidence = 0;
      for (let row = 0; row < rows; row += 1) {
        const { winner, probability } = topOf(scores, row * classes, classes);
        tally.byClass[winner] = (tally.byClass[winner] ?? 0) + 1;
        confidence += probability;
      }
      // One request, one weight, whatever its batch: confidenceSum / requests stays the mean top score.
      tally.confidenceSum += confidence / rows;
    },
    failed(arm) {
      of(arm).errors += 1;
      if (arm !== 'observed') errors += 1;
    },
    refused: () => void (refused += 1),
    invalid: () => void (invalid += 1),
    counters: () => ({
      requests,
      refused,
      invalid,
      errors,
      arms: Object.fromEntries(
        [...arms].map(([arm, tally]): [string, ArmCounters] => [arm, { ...tally, byClass: [...tally.byClass] }]),
      ),
    }),
  };
}

/** Deviation of a row's sum from 1 that float32 arithmetic explains. */
const ROUNDING = 1e-3;

/** The winning class of one row and its probability: the score itself where the row is a distribution, its softmax otherwise. */
export function topOf(
  scores: ArrayLike<number>,
  from: number,
  classes: number,
): { winner: number; probability: number } {
  let winner = 0;
  let top = -Infinity;
  let sum = 0;
  let positive = true;
  for (let index = 0; index < classes; index += 1) {
    const score = scores[from + index] ?? NaN;
    if (score > top) [winner, top] = [index, score];
    sum += score;
    positive &&= score >= 0;
  }
  if (positive && Math.abs(sum - 1) < ROUNDING) return { winner, probability: top };
  let powers = 0;
  for (let index = 0; index < classes; index += 1) powers += Math.exp((scores[from + index] ?? NaN) - top);
  const probability = 1 / powers;
  return { winner, probability: Number.isFinite(probability) ? probability : 0 };
}
