import type { Profile } from '../../domain/contracts/golden.ts';
import { createSentinels } from '../../gateway/sentinels/sentinels.ts';
import { randomOf, type Random } from './random.ts';
import { eventOf, visitors, type Pool } from './stream.ts';

/** Clean requests before the anomaly begins, so that what is learnt after release is learnt. */
const BEFORE = 2500;
/** Requests after which it was not seen. */
const MOST = 3000;

/** What one run gave. */
export interface Run {
  /** Requests from the first of the anomaly's time to the first alarm; null where there was none. */
  readonly delay: number | null;
  readonly first: string | null;
  /** Delay of each sentinel that alarmed. */
  readonly by: Readonly<Record<string, number>>;
  readonly alarmsBefore: number;
}

/** From its beginning a request of the anomaly comes with probability `share`; the rest stays as it was. */
export interface Anomaly {
  readonly share: number;
  readonly pool: Pool;
  /** Which of the pool's records; all by equal chance where absent. */
  readonly pick?: (random: Random) => number;
}

export function delayOf(profile: Profile, clean: Pool, anomaly: Anomaly, seed: number): Run {
  const random = randomOf(seed);
  const next = visitors(clean.count, random);
  const sentinels = createSentinels(profile);
  const by: Record<string, number> = {};
  let alarmsBefore = 0;
  let first: string | null = null;
  for (let at = 0; at < BEFORE + MOST; at++) {
    const { client, row } = next();
    const strange = at >= BEFORE && random() < anomaly.share;
    const event = strange
      ? eventOf(anomaly.pool, anomaly.pick?.(random) ?? Math.floor(random() * anomaly.pool.count), client, at, random)
      : eventOf(clean, row, client, at, random);
    for (const { sentinel } of sentinels.observe(event)) {
      if (at < BEFORE) alarmsBefore++;
      else {
        first ??= sentinel;
        by[sentinel] ??= at - BEFORE + 1;
      }
    }
  }
  return { delay: first === null ? null : (by[first] ?? null), first, by, alarmsBefore };
}
