import type { Robustness } from '../../domain/contracts/gates.ts';
import type { Interval } from '../../domain/contracts/interval.ts';
import type { GateResult } from '../../domain/contracts/plan.ts';
import type { RobustnessResult } from '../../domain/contracts/robustness.ts';
import { newcombePaired, wilson } from '../statistics/interval.ts';
import { rightAnswers } from './accuracy.ts';
import { atMost, percent, pp, span, unmeasured, type About } from './gate.ts';

type Attack = RobustnessResult['attacks'][number];

const NAMES = { linf: 'L∞', l2: 'L2' } as const;

/** Shares of right answers under the Square attack on the same records, from the report's own gate. */
export interface UnderSquare {
  readonly candidate: Interval;
  readonly golden: Interval;
}

/**
 * PGD with restarts (Madry et al., ICLR 2018) on the same records as Square, against the golden model under the same starts. A gradient that
 * leads nowhere makes PGD find too little. Square needs no gradient: where it turns more records within the same cube, the gradient is masked
 * (Athalye, Carlini, Wagner, ICML 2018), and what PGD left standing says nothing. Masked in the candidate and not in the golden model: undecided.
 */
export function pgdGate(
  attack: Attack,
  { restarts, steps }: Pick<RobustnessResult, 'restarts' | 'steps'>,
  budget: Robustness,
  square: UnderSquare | null,
  maxRobustDropPp: number,
): GateResult {
  const about: About = {
    id: `robustness:pgd-${attack.norm}`,
    title: `Accuracy under PGD (${NAMES[attack.norm]})`,
    threshold: `at most ${maxRobustDropPp} percentage points below the golden model under the same attack`,
  };
  const [candidate, golden] = [bits(attack.candidate), bits(attack.golden)];
  const n = golden.length;
  if (n === 0 || candidate.length !== n) return unmeasured(about, 'The trainer answered for other records.');
  const [own, reference] = [wilson(sum(candidate), n), wilson(sum(golden), n)];
  const masked = attack.norm === 'linf' && square ? maskedIn(square, { candidate: own, golden: reference }) : NOBODY;
  const drop = newcombePaired(rightAnswers(golden, candidate, new Uint8Array(n).fill(1)));
  const how = `${n} records within ${attack.radius.toPrecision(2)} of their range (${NAMES[attack.norm]}), ${restarts} restarts of ${steps} steps (seed ${budget.seed})`;
  const words = `${how}: the drop is ${pp(drop.value)} (${span(drop)}, paired).${byLoss(attack)}${masked.words}`;
  const gate = atMost(about, { figure: drop, limit: maxRobustDropPp / 100 }, { figure: own, golden: reference }, words);
  return masked.candidate && !masked.golden && gate.verdict === 'pass' ? { ...gate, verdict: 'inconclusive' } : gate;
}

interface Masked {
  readonly candidate: boolean;
  readonly golden: boolean;
  readonly words: string;
}
const NOBODY: Masked = { candidate: false, golden: false, words: '' };

/** A share of records that chance decides between two attacks that both end at the same few. */
const MASKED = 0.02;

/** Square is the weaker attack where there is a gradient to follow. */
function maskedIn(square: UnderSquare, pgd: UnderSquare): Masked {
  const candidate = square.candidate.value < pgd.candidate.value - MASKED;
  const golden = square.golden.value < pgd.golden.value - MASKED;
  if (!candidate && !golden) return NOBODY;
  const told = (['candidate', 'golden'] as const)
    .filter((name) => (name === 'candidate' ? candidate : golden))
    .map(
      (name) =>
        `${percent(square[name].value)} of the ${name === 'golden' ? 'golden model' : 'candidate'} instead of ${percent(pgd[name].value)}`,
    )
    .join(', ');
  return {
    candidate,
    golden,
    words: ` The gradient is masked: Square, which needs none, leaves less standing (${told}). What stands here says little${golden ? '' : ', and the golden model hides nothing'}.`,
  };
}

/** Both losses are climbed; where one finds much more, the other's gradient vanished. */
function byLoss({ crossEntropy, margin }: Attack): string {
  if (margin === null) return '';
  const n = crossEntropy.length;
  return ` Cross-entropy alone leaves ${percent(sum(bits(crossEntropy)) / n)}, the margin ${percent(sum(bits(margin)) / n)}.`;
}

const bits = (word: string): Uint8Array => Uint8Array.from(word, (one) => (one === '1' ? 1 : 0));
const sum = (all: Uint8Array): number => all.reduce((total, one) => total + one, 0);
