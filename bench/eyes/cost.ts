import type { Profile } from '../../domain/contracts/golden.ts';
import { createSentinels } from '../../gateway/sentinels/sentinels.ts';
import type { Task } from './data.ts';
import { shapeOf } from './profiles.ts';
import { randomOf } from './random.ts';
import { answered, eventOf, visitors } from './stream.ts';

const WARM = 3000;
const BATCHES = 20;
const BATCH = 500;

/**
 * Microseconds that all sentinels together take for a request, mean over each batch; events are made before the clock runs. `cpu` is what the process
 * used, garbage collection included, and does not grow where others compute on the same cores; `wall` does.
 */
export interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

export async function costOf(task: Task, profile: Profile, seed: number): Promise<Cost[]> {
  const pool = await answered(task.unseen, task.golden, shapeOf(task));
  const random = randomOf(seed);
  const next = visitors(pool.count, random);
  const events = Array.from({ length: WARM + BATCHES * BATCH }, (_, at) => {
    const { client, row } = next();
    return eventOf(pool, row, client, at, random);
  });
  const sentinels = createSentinels(profile);
  for (const event of events.slice(0, WARM)) sentinels.observe(event);
  return Array.from({ length: BATCHES }, (_, batch) => {
    const own = events.slice(WARM + batch * BATCH, WARM + (batch + 1) * BATCH);
    const began = performance.now();
    const before = process.cpuUsage();
    for (const event of own) sentinels.observe(event);
    const wall = ((performance.now() - began) * 1000) / BATCH;
    const { user, system } = process.cpuUsage(before);
    return { wall, cpu: (user + system) / BATCH };
  });
}
