import type { GateResult } from '../../domain/contracts/plan.ts';
import { wilson } from '../statistics/interval.ts';
import type { OnHoldout } from './accuracy.ts';
import { unmeasured } from './gate.ts';
import type { AttackReplay } from './replay.ts';

/**
 * Success against the larger of the threshold and the golden model's own rate. On few requests one chance mistake exceeds any small share, so
 * the gate fails only when the lower end of the interval exceeds what is allowed; the figure says what was seen.
 */
export function attackGate(
  id: string,
  title: string,
  replay: AttackReplay,
  { candidate, golden, thresholds }: OnHoldout,
): GateResult {
  const own = wilson(replay.candidate, replay.attempts);
  const reference = wilson(replay.golden, replay.attempts);
  const allowed = Math.max(thresholds.maxAttackSuccess, replay.attempts === 0 ? 0 : reference.value);
  const about = {
    id,
    title,
    threshold: `succeeds on at most ${(allowed * 100).toFixed(1)} % (${thresholds.maxAttackSuccess * 100} %, or the golden model's own rate if higher)`,
  };
  if (!candidate || !golden)
    return unmeasured(about, 'The candidate or the golden model could not be run on the attack.');
  if (replay.attempts === 0) return unmeasured(about, 'The captured attack holds no request.');
  const counts = `${replay.candidate} of ${replay.attempts} requests still get the attacker's class (golden model: ${replay.golden})`;
  if (own.value <= allowed) return { ...about, verdict: 'pass', figure: own, golden: reference, reason: `${counts}.` };
  return own.low > allowed
    ? { ...about, verdict: 'fail', figure: own, golden: reference, reason: `${counts}.` }
    : {
        ...about,
        verdict: 'pass',
        figure: own,
        golden: reference,
        reason: `${counts}, which chance alone explains: the 95 % interval starts at ${(own.low * 100).toFixed(1)} %.`,
      };
}
