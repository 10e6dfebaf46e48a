import type { RegressionAttack } from '../../domain/contracts/golden.ts';
import { tableOf } from '../analysers/window.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { winners } from '../statistics/calibration.ts';
import type { PartedAttack } from './parted-attack.ts';

/** How often a captured attack succeeds: the attacker's class is answered. */
export interface AttackReplay {
  readonly incident: string;
  readonly attempts: number;
  readonly candidate: number;
  readonly golden: number;
  /** Where the plan knows the trigger of the attack. */
  readonly parted?: PartedAttack;
}

export async function replayAttack(
  attack: RegressionAttack,
  candidate: Predictor,
  golden: Predictor,
): Promise<AttackReplay> {
  const attempts = attack.requests.length;
  if (attempts === 0) return { incident: attack.incident, attempts, candidate: 0, golden: 0 };
  const table = tableOf(
    attack.requests,
    attack.featureShape.reduce((product, dim) => product * dim, 1),
  );
  const successes = async (model: Predictor) => {
    const { scores, classes } = await model.logits(table, attempts, attack.featureShape);
    const answered = winners(scores, classes);
    return attack.requests.filter((request, row) => answered[row] === request.attackerClass).length;
  };
  return {
    incident: attack.incident,
    attempts,
    candidate: await successes(candidate),
    golden: await successes(golden),
  };
}
