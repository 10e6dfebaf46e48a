import type { Robustness } from '../../domain/contracts/gates.ts';
import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { GateResult } from '../../domain/contracts/plan.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { newcombePaired, wilson } from '../statistics/interval.ts';
import { rightAnswers } from './accuracy.ts';
import { attackSpace, margins, type AttackSpace } from './attack-space.ts';
import { atMost, pp, unmeasured, span } from './gate.ts';
import { patchAttack, patchesOf } from './patch.ts';
import { squareAttack } from './square.ts';

/** Which of the attacked records both models still answer rightly: 1 or 0 for each. */
export interface Withstood {
  readonly attack: 'square' | 'patch';
  readonly candidate: Uint8Array;
  readonly golden: Uint8Array;
  /** `queries` is what either model was asked, where the time did not suffice for more. */
  readonly budget: Robustness;
}

/** Fewer questions are no attack. */
const MIN_QUERIES = 10;

/**
 * Both models under the same attacks, with the same random numbers and as many questions. A table has no patch: its columns are no neighbours.
 * `clock` gives milliseconds that only rise; it decides nothing unless the models are too slow for their budget.
 */
export async function attackBoth(
  models: { readonly candidate: Predictor; readonly golden: Predictor },
  holdout: { readonly columns: DatasetColumns; readonly shape: readonly number[] },
  wanted: Robustness,
  clock: () => number,
): Promise<readonly Withstood[]> {
  const space = attackSpace(holdout.columns, holdout.shape, wanted);
  const budget = { ...wanted, queries: Math.min(wanted.queries, await affordable(models, space, wanted, clock)) };
  const attacks = space.grid.picture
    ? ([['square', squareAttack] as const, ['patch', patchAttack] as const] as const)
    : ([['square', squareAttack] as const] as const);
  const withstood: Withstood[] = [];
  for (const [attack, run] of attacks) {
    const [candidate, golden] =
      budget.queries < MIN_QUERIES
        ? [new Uint8Array(), new Uint8Array()]
        : await Promise.all([run(models.candidate, space, budget), run(models.golden, space, budget)]);
    withstood.push({ attack, candidate, golden, budget });
  }
  return withstood;
}

/** Beside the answer itself: the drawing of the next question, and the patches. */
const OVERHEAD = 1.5;

/** Questions that fit into the time, by the second answer to the records as they are (the first pays for what later ones find ready). */
async function affordable(
  models: { readonly candidate: Predictor; readonly golden: Predictor },
  { features, labels, shape }: AttackSpace,
  { seconds }: Robustness,
  clock: () => number,
): Promise<number> {
  const ask = async () =>
    await Promise.all([models.candidate, models.golden].map((model) => margins(model, features, labels, shape)));
  await ask();
  const from = clock();
  await ask();
  return Math.floor((seconds * 1000) / (OVERHEAD * Math.max(clock() - from, 1e-3)));
}

const TITLES = { square: 'Accuracy under Square attack', patch: 'Accuracy under random patches' } as const;

/** Below this share a golden model withstands so little that a candidate can hardly do worse; the report says so. */
const FRAIL = 0.1;

export function robustnessGate({ attack, candidate, golden, budget }: Withstood, maxRobustDropPp: number): GateResult {
  const about = {
    id: `robustness:${attack}`,
    title: TITLES[attack],
    threshold: `at most ${maxRobustDropPp} percentage points below the golden model under the same attack`,
  };
  if (budget.queries < MIN_QUERIES)
    return unmeasured(
      about,
      `The models are too slow for ${MIN_QUERIES} questions in ${budget.seconds} s: give robustness.seconds more, or fewer records.`,
    );
  const n = golden.length;
  if (n === 0) return unmeasured(about, 'The hold-out has no record to attack.');
  const everyRecord = new Uint8Array(n).fill(1);
  const drop = newcombePaired(rightAnswers(golden, candidate, everyRecord));
  const [own, reference] = [candidate, golden].map((one) =>
    wilson(
      one.reduce((sum, right) => sum + right, 0),
      n,
    ),
  );
  if (!own || !reference) return unmeasured(about, 'The hold-out has no record to attack.');
  const how =
    attack === 'square'
      ? `${n} records, each feature moved by at most ${budget.epsilon} of its range, ${budget.queries} questions each (seed ${budget.seed})`
      : `${n} records, ${patchesOf(budget)} patches each (seed ${budget.seed})`;
  const frail =
    reference.value < FRAIL
      ? ` The golden model withstands next to nothing of it, so that this gate can tell little; a smaller epsilon would.`
      : '';
  return atMost(
    about,
    { figure: drop, limit: maxRobustDropPp / 100 },
    { figure: own, golden: reference },
    `${how}: the drop is ${pp(drop.value)} (${span(drop)}, paired).${frail}`,
  );
}
