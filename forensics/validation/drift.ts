import type { GateResult } from '../../domain/contracts/plan.ts';
import { bootstrap, createRandom } from '../statistics/bootstrap.ts';
import { wilson } from '../statistics/interval.ts';
import { atMost, unmeasured } from './gate.ts';

/** Both models' winning classes for the same records. */
export interface Answered {
  readonly candidate: ArrayLike<number>;
  readonly golden: ArrayLike<number>;
}

/** Fewer requests say nothing about a mix of classes: one that differs would move it by more than the strictest threshold. */
export const MIN_REQUESTS = 50;
const SEED = 2;

/**
 * Total variation distance between two mixes of classes, ½ Σ |p − q|: the share of answers that would have to move for the mixes to be equal.
 * Never more than the share of records on which the two models differ.
 */
export function classMixShift({ candidate, golden }: Answered, rows: ArrayLike<number>): number {
  const surplus: number[] = [];
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] ?? 0;
    const own = candidate[row] ?? 0;
    const reference = golden[row] ?? 0;
    surplus[own] = (surplus[own] ?? 0) + 1;
    surplus[reference] = (surplus[reference] ?? 0) - 1;
  }
  const moved = surplus.reduce((sum, count) => sum + Math.abs(count), 0);
  return moved / 2 / rows.length;
}

export function driftGate(
  id: 'drift-holdout' | 'drift-requests',
  answered: Answered | null,
  classes: readonly string[],
  maxClassMixShift: number,
): GateResult {
  const place = id === 'drift-holdout' ? 'the hold-out' : 'captured requests outside the attack';
  const about = {
    id,
    title: `Drift of the answers on ${place}`,
    threshold: `at most ${maxClassMixShift} of the answers move between classes against the golden model (total variation distance)`,
  };
  const n = answered?.golden.length ?? 0;
  if (!answered || n === 0) return unmeasured(about, `The candidate or the golden model could not be run on ${place}.`);
  const drawn = bootstrap(n, (rows) => classMixShift(answered, rows), createRandom(SEED));
  // Where no record is answered otherwise, no resample is either; the next n records could still differ.
  const shift = { ...drawn, high: Math.max(drawn.high, wilson(0, n).high) };
  return atMost(
    about,
    { figure: shift, limit: maxClassMixShift },
    { figure: shift, golden: 0 },
    `${largestMove(answered, classes)} (${n} records).`,
  );
}

function largestMove({ candidate, golden }: Answered, classes: readonly string[]): string {
  const count = (answers: ArrayLike<number>, index: number) =>
    Array.from(answers).filter((own) => own === index).length;
  const moves = classes.map((name, index) => ({ name, from: count(golden, index), to: count(candidate, index) }));
  const largest = moves.reduce<(typeof moves)[number] | null>(
    (best, move) => (best && Math.abs(best.to - best.from) >= Math.abs(move.to - move.from) ? best : move),
    null,
  );
  return largest && largest.from !== largest.to
    ? `Class ${largest.name} moves most: ${largest.to} answers instead of ${largest.from}`
    : 'Every class is answered as often as by the golden model';
}
