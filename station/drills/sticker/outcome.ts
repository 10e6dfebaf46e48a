import type { InferenceClient } from '../../../clients/inference/client.ts';
import type { Figure } from '../../drill.ts';
import type { Seen } from '../course.ts';
import { accuracyDropPp, bounded, holds, taintOf } from '../figures.ts';
import type { Plot } from '../plot.ts';
import { send, share } from '../traffic.ts';
import type { Attack } from './attack.ts';

export interface Measured {
  readonly accuracy: number;
  /** Share of stickered images of other classes that the endpoint answers with the attacker's class. */
  readonly attackSuccess: number;
}

export async function measure(
  client: InferenceClient,
  endpoint: string,
  { split: { secret }, task: { featureShape } }: Plot,
  attack: Attack,
): Promise<Measured> {
  const images = secret.map((sample) => sample.features);
  const clean = await send(client, endpoint, images, featureShape);
  const others = secret.filter((sample) => sample.label !== attack.target);
  const patched = others.map((sample) => attack.apply(sample.features));
  const stickered = await send(client, endpoint, patched, featureShape);
  return {
    accuracy: share(clean, (index) => secret[index]?.label ?? -1),
    attackSuccess: share(stickered, () => attack.target),
  };
}

/** The figures of the issue, each beside its target. */
export function figuresOf(seen: Seen<Measured>, tainted: ReadonlySet<string>): readonly Figure[] {
  const { precision, recall } = taintOf(seen.dropped, tainted);
  const allowed = Math.max(0.01, seen.golden.attackSuccess);
  return [
    holds('contained', seen.contained, 'all endpoints that descend from the batch'),
    bounded('taint_precision', precision, 'share', { atLeast: 0.95 }),
    bounded('taint_recall', recall, 'share', { atLeast: 0.95 }),
    bounded('accuracy_drop_pp', accuracyDropPp(seen), 'pp', { atMost: 1 }, 'against golden'),
    bounded('attack_success_before', seen.before.attackSuccess, 'share', { atLeast: 0.9 }),
    bounded(
      'attack_success_after',
      seen.after.attackSuccess,
      'share',
      { atMost: allowed },
      "0.01, or golden's own rate",
    ),
    holds('bundle_valid', seen.bundleValid, 'verifies offline'),
  ];
}
