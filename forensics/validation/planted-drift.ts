import type { GateResult, ValidationFigure } from '../../domain/contracts/plan.ts';
import { driftGate, type Answered } from './drift.ts';
import { percent } from './gate.ts';

export type PlantedDrift = { readonly gate: GateResult } | { readonly figure: ValidationFigure };

const ABOUT = { id: 'control:drift', title: 'A planted drift stops the drift gate' } as const;
/** How far beyond the threshold the planted drift lies. */
const BEYOND = 2;

/**
 * Does the drift gate stop a drift? It is fired, not looked at: into a copy of the golden model's answers to the hold-out a drift of twice the
 * threshold is planted (answers of other classes become the rarest class), and the gate that judges the candidate judges the copy. It MUST NOT
 * pass, and the answers without the drift MUST. This proves the gate of the validation on these records and with this threshold: no monitor
 * that watches an endpoint is fired by it.
 */
export function fireDriftControl(
  golden: ArrayLike<number> | null,
  classes: readonly string[],
  maxClassMixShift: number,
  gate: typeof driftGate = driftGate,
): PlantedDrift {
  const wanted = BEYOND * maxClassMixShift;
  const planted = golden && plant(golden, classes.length, wanted);
  if (!golden || !planted)
    return {
      figure: {
        ...ABOUT,
        figure: null,
        golden: null,
        words: golden
          ? `Not fired: a drift of ${percent(wanted)} of the answers cannot be planted into ${golden.length} answers.`
          : 'Not fired: the golden model gave no answers.',
      },
    };
  const judge = (candidate: ArrayLike<number>) =>
    gate('drift-holdout', { candidate, golden } satisfies Answered, classes, maxClassMixShift).verdict;
  const [raised, quiet] = [judge(planted.answers), judge(golden)];
  const holds = raised !== 'pass' && quiet === 'pass';
  return {
    gate: {
      ...ABOUT,
      verdict: holds ? 'pass' : 'fail',
      figure: planted.moved / golden.length,
      golden: 0,
      threshold: `a drift of ${percent(wanted)} of the answers is stopped, and no drift is not`,
      reason: `${planted.moved} of ${golden.length} answers of a copy were made ${classes[planted.to] ?? ''}: the drift gate says "${raised}", of the copy without them "${quiet}". Fired at the gate of this validation, and at no monitor of an endpoint.`,
    },
  };
}

/** The first answers of other classes become the rarest one, until the mix has moved far enough; null where too few are left to move. */
function plant(
  golden: ArrayLike<number>,
  classes: number,
  share: number,
): { answers: number[]; moved: number; to: number } | null {
  const answers = Array.from(golden);
  const count = (index: number) => answers.filter((own) => own === index).length;
  const all = Array.from({ length: classes }, (_, index) => index);
  const to = all.reduce((rarest, index) => (count(index) < count(rarest) ? index : rarest), 0);
  const wanted = Math.ceil(share * answers.length);
  let moved = 0;
  for (let row = 0; row < answers.length && moved < wanted; row++) {
    if (answers[row] === to) continue;
    answers[row] = to;
    moved++;
  }
  return wanted > 0 && moved === wanted ? { answers, moved, to } : null;
}
