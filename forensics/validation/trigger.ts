import type { DatasetColumns } from '../../domain/contracts/dataset.ts';
import type { TriggerImage } from '../../domain/contracts/examination.ts';
import type { GateResult } from '../../domain/contracts/plan.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { winners } from '../statistics/calibration.ts';
import { newcombePaired, wilson, type Pairs } from '../statistics/interval.ts';
import { atMost, percent, pp, unmeasured, span } from './gate.ts';

/** How often the trigger that was recovered from the suspect carries hold-out records of other classes to its target. */
export interface TriggerTrial {
  readonly target: string;
  /** Over the same records; `first` is the candidate, `second` the golden model. null where the trigger does not fit the records. */
  readonly carried: Pairs | null;
}

/** x′ = (1 − mask) · x + mask · pattern, for every record; null where the trigger does not have the shape of one. */
export function withTrigger(trigger: TriggerImage, features: Float32Array, width: number): Float32Array | null {
  const { mask, pattern } = trigger;
  if (pattern.length !== width || mask.length === 0 || width % mask.length !== 0) return null;
  return features.map((value, index) => {
    const cover = mask[(index % width) % mask.length] ?? 0;
    return (1 - cover) * value + cover * (pattern[index % width] ?? 0);
  });
}

export async function tryTrigger(
  recovered: { readonly trigger: TriggerImage | null; readonly target: number },
  holdout: { readonly columns: DatasetColumns; readonly shape: readonly number[]; readonly classes: readonly string[] },
  models: { readonly candidate: Predictor; readonly golden: Predictor },
): Promise<TriggerTrial> {
  const { columns, shape, classes } = holdout;
  const target = classes[recovered.target] ?? `class ${recovered.target}`;
  const triggered = recovered.trigger && withTrigger(recovered.trigger, columns.features, columns.width);
  if (!triggered || recovered.target >= classes.length) return { target, carried: null };
  const answers = async (model: Predictor) => {
    const { scores, classes: outputs } = await model.logits(triggered, columns.count, shape);
    return winners(scores, outputs);
  };
  const [own, reference] = [await answers(models.candidate), await answers(models.golden)];
  const carried = { both: 0, first: 0, second: 0, neither: 0 };
  columns.labels.forEach((label, row) => {
    if (label === recovered.target) return;
    const first = own[row] === recovered.target;
    const second = reference[row] === recovered.target;
    carried[first ? (second ? 'both' : 'first') : second ? 'second' : 'neither']++;
  });
  return { target, carried };
}

/**
 * The golden model's own rate is what such a change of the input does to an honest model of this shape. The candidate may exceed it by the
 * allowance and no more.
 */
export function triggerGate({ target, carried }: TriggerTrial, maxTriggerGain: number): GateResult {
  const about = {
    id: 'recovered-trigger',
    title: 'Recovered trigger fails',
    threshold: `succeeds on at most ${pp(maxTriggerGain)} more records than on the golden model`,
  };
  if (carried === null) return unmeasured(about, 'The recovered trigger does not fit the records of the hold-out.');
  const n = carried.both + carried.first + carried.second + carried.neither;
  if (n === 0) return unmeasured(about, 'The hold-out has no record of another class than the target.');
  const own = wilson(carried.both + carried.first, n);
  const reference = wilson(carried.both + carried.second, n);
  const gain = newcombePaired(carried);
  return atMost(
    about,
    { figure: gain, limit: maxTriggerGain },
    { figure: own, golden: reference },
    `It leads ${percent(own.value)} of ${n} records of other classes to ${target}, on the golden model ${percent(reference.value)}: a difference of ${pp(gain.value)} (${span(gain)}).`,
  );
}
