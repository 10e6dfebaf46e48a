import type { Profile } from '../../domain/contracts/golden.ts';
import { createSentinels } from '../../gateway/sentinels/sentinels.ts';
import type { Task } from './data.ts';
import { shapeOf } from './profiles.ts';
import { randomOf } from './random.ts';
import { answered, eventOf, visitors } from './stream.ts';

export interface Benign {
  readonly task: string;
  readonly requests: number;
  readonly records: number;
  readonly alarms: readonly { readonly at: number; readonly sentinel: string; readonly statement: string }[];
}

/** One answer in so many gets its label back. */
const LABELLED = 10;

/** A stream of requests by unseen records, through one set of sentinels as after one release. */
export async function benignStream(task: Task, profile: Profile, requests: number, seed: number): Promise<Benign> {
  const pool = await answered(task.unseen, task.golden, shapeOf(task));
  const random = randomOf(seed);
  const next = visitors(pool.count, random);
  const sentinels = createSentinels(profile);
  const alarms: { at: number; sentinel: string; statement: string }[] = [];
  for (let at = 0; at < requests; at++) {
    const { client, row } = next();
    const event = eventOf(pool, row, client, at, random);
    const found = [...sentinels.observe(event)];
    if (at % LABELLED === 0 && event.answer) {
      const { predicted, confidence } = event.answer;
      found.push(...sentinels.feedback({ at: event.at, client, predicted, confidence, label: pool.labels[row] ?? 0 }));
    }
    for (const { sentinel, statement } of found) alarms.push({ at, sentinel, statement });
  }
  return { task: task.name, requests, records: pool.count, alarms };
}
