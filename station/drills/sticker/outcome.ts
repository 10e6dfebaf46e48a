import type { Figure } from '../../drill.ts';
import type { Attack } from './attack.ts';
import type { Sample } from './digits.ts';
import { send, share } from './traffic.ts';
import type { InferenceClient } from '../../../clients/inference/client.ts';

export interface Measured {
  readonly accuracy: number;
  /** Share of stickered images of other classes that the endpoint answers with the attacker's class. */
  readonly attackSuccess: number;
}

/** Through the endpoint's front door, with images that nobody trained on. */
export async function measure(
  client: InferenceClient,
  endpoint: string,
  secret: readonly Sample[],
  attack: Attack,
): Promise<Measured> {
  const clean = await send(
    client,
    endpoint,
    secret.map((sample) => sample.image),
  );
  const others = secret.filter((sample) => sample.label !== attack.target);
  const stickered = await send(
    client,
    endpoint,
    others.map((sample) => attack.apply(sample.image)),
  );
  return {
    accuracy: share(clean, (index) => secret[index]?.label ?? -1),
    attackSuccess: share(stickered, () => attack.target),
  };
}

export interface Evidence {
  readonly contained: boolean;
  readonly dropped: ReadonlySet<string>;
  readonly tainted: ReadonlySet<string>;
  readonly before: Measured;
  readonly after: Measured;
  readonly golden: Measured;
  readonly bundleValid: boolean;
}

const PP = 100;

/** The figures of the issue, each beside its target. */
export function figuresOf(seen: Evidence): readonly Figure[] {
  const hits = [...seen.dropped].filter((id) => seen.tainted.has(id)).length;
  const precision = seen.dropped.size === 0 ? 0 : hits / seen.dropped.size;
  const recall = seen.tainted.size === 0 ? 0 : hits / seen.tainted.size;
  const drop = PP * (seen.golden.accuracy - seen.after.accuracy);
  const allowed = Math.max(0.01, seen.golden.attackSuccess);
  return [
    {
      name: 'contained',
      value: seen.contained,
      unit: '',
      target: 'all endpoints that descend from the batch',
      met: seen.contained,
    },
    { name: 'taint_precision', value: round(precision), unit: 'share', target: '>= 0.95', met: precision >= 0.95 },
    { name: 'taint_recall', value: round(recall), unit: 'share', target: '>= 0.95', met: recall >= 0.95 },
    { name: 'accuracy_drop_pp', value: round(drop), unit: 'pp', target: '<= 1 against golden', met: drop <= 1 },
    {
      name: 'attack_success_before',
      value: round(seen.before.attackSuccess),
      unit: 'share',
      target: '>= 0.9',
      met: seen.before.attackSuccess >= 0.9,
    },
    {
      name: 'attack_success_after',
      value: round(seen.after.attackSuccess),
      unit: 'share',
      target: `<= ${round(allowed)} (0.01, or golden's own rate)`,
      met: seen.after.attackSuccess <= allowed,
    },
    { name: 'bundle_valid', value: seen.bundleValid, unit: '', target: 'verifies offline', met: seen.bundleValid },
  ];
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
