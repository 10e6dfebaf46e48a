import type { GateResult } from '../../domain/contracts/plan.ts';
import { pValue } from '../analysers/wording.ts';
import { wilson } from '../statistics/interval.ts';
import type { OnHoldout } from './accuracy.ts';
import { confusionOf } from './confusion.ts';
import { unmeasured } from './gate.ts';
import type { PartedAttack } from './parted-attack.ts';
import type { AttackReplay } from './replay.ts';

/**
 * Success against the larger of the threshold and the golden model's own rate. On few requests one chance mistake exceeds any small share, so
 * the gate fails only when the lower end of the interval exceeds what is allowed; the figure says what was seen.
 *
 * Where the plan knows the trigger, requests without it of which the golden model was not sure may be confusion and no attack: they are left
 * out where no more requests are turned than clean records are, and where more are, the gate fails. Where nobody can tell, all are judged.
 */
export function attackGate(
  id: string,
  title: string,
  replay: AttackReplay,
  { candidate, golden, thresholds }: OnHoldout,
): GateResult {
  const { attempts, succeeded, onGolden, words, beyond } = judgedOf(replay);
  const own = wilson(succeeded, attempts);
  const reference = wilson(onGolden, attempts);
  const allowed = Math.max(thresholds.maxAttackSuccess, attempts === 0 ? 0 : reference.value);
  const about = {
    id,
    title,
    threshold: `succeeds on at most ${(allowed * 100).toFixed(1)} % (${thresholds.maxAttackSuccess * 100} %, or the golden model's own rate if higher)`,
  };
  if (!candidate || !golden)
    return unmeasured(about, 'The candidate or the golden model could not be run on the attack.');
  if (attempts === 0) return unmeasured(about, 'The captured attack holds no request.');
  const shown = { ...about, figure: own, golden: reference };
  const [counts, ...more] = words;
  const told = (chance = '') => [`${counts}${chance}.`, ...more].join(' ');
  if (beyond) return { ...shown, verdict: 'fail', reason: told() };
  if (own.value <= allowed) return { ...shown, verdict: 'pass', reason: told() };
  return own.low > allowed
    ? { ...shown, verdict: 'fail', reason: told() }
    : {
        ...shown,
        verdict: 'pass',
        reason: told(`, which chance alone explains: the 95 % interval starts at ${(own.low * 100).toFixed(1)} %`),
      };
}

interface Judged {
  readonly attempts: number;
  readonly succeeded: number;
  readonly onGolden: number;
  /** The counts, without a full stop, and sentences behind them. */
  readonly words: readonly [string, ...string[]];
  /** More requests without the trigger are turned than confusion explains. */
  readonly beyond: boolean;
}

function judgedOf({ attempts, candidate, golden, parted }: AttackReplay): Judged {
  const all = {
    attempts,
    succeeded: candidate,
    onGolden: golden,
    beyond: false,
    words: [`${candidate} of ${attempts} requests still get the attacker's class (golden model: ${golden})`],
  } as const;
  if (!parted) return all;
  const confusion = confusionOf(parted);
  const compared = comparison(parted);
  switch (confusion.kind) {
    case 'unknown':
      return { ...all, words: [...all.words, `All were judged alike: ${confusion.reason}.`] };
    case 'beyond':
      return {
        ...all,
        beyond: true,
        words: [
          ...all.words,
          `${compared}. That is more than models confuse anyway (${pValue(confusion.pValue)}): something else than the known trigger may still work.`,
        ],
      };
    case 'usual': {
      const { strict } = parted;
      return {
        attempts: strict.n,
        succeeded: strict.marked,
        onGolden: strict.onGolden,
        beyond: false,
        words: [
          `${strict.marked} of ${strict.n} requests that bear the known trigger, or of which the golden model was sure, still get the attacker's class (golden model: ${strict.onGolden})`,
          ...(attempts > strict.n
            ? [
                `The other ${attempts - strict.n} requests of the attack bear no trigger, and the golden model wavered. ${compared}. Models confuse as much anyway (${pValue(confusion.pValue)}), so they were not counted as attack.`,
              ]
            : []),
        ],
      };
    }
  }
}

function comparison({ without, clean }: PartedAttack): string {
  return (
    `Of ${without.n} different captured requests without the trigger ${without.marked} get that class from the candidate and not from the golden model, ` +
    `of ${clean.n} clean records ${clean.marked}`
  );
}
