import type { Profile } from '../../domain/contracts/golden.ts';
import type { Records, Task } from './data.ts';
import { delayOf, type Anomaly, type Run } from './delays.ts';
import { foreignTo, noiseLike } from './foreign.ts';
import { shapeOf } from './profiles.ts';
import { randomOf, type Random } from './random.ts';
import { answered, type Pool } from './stream.ts';

/** What was done to the stream, and how soon it was seen in each run. */
export interface Scenario {
  readonly task: string;
  readonly name: string;
  readonly target: number;
  /** Told beside the figures, and not part of them: harder than what the issue asks for. */
  readonly beside: boolean;
  readonly runs: readonly Run[];
}

const SHIFT = 0.5;
const OOD = 0.05;
const STICKERED = 0.02;
const MIX = 0.5;

export async function scenariosOf(task: Task, profile: Profile, runs: number, firstSeed: number): Promise<Scenario[]> {
  const clean = await answered(task.unseen, task.golden, shapeOf(task));
  const seeds = Array.from({ length: runs }, (_, at) => firstSeed + at);
  const found: Scenario[] = [];
  const measure = async (
    name: string,
    target: number,
    anomaly: (random: Random) => Promise<Anomaly> | Anomaly,
    options: { beside?: boolean; served?: Pool } = {},
  ): Promise<void> => {
    const each: Run[] = [];
    for (const seed of seeds)
      each.push(delayOf(profile, options.served ?? clean, await anomaly(randomOf(1e6 + seed)), seed));
    found.push({ task: task.name, name, target, beside: options.beside ?? false, runs: each });
  };
  const model = (records: Records) => answered(records, task.golden, shapeOf(task));

  await measure('one feature by .5 σ', 500, async (random) => ({
    share: 1,
    pool: await model(shifted(task.unseen, profile, random)),
  }));
  await measure('class mix', 500, (random) => mixed(clean, task.classes, random));
  const noise = await model(noiseLike(task.unseen, 2000, randomOf(17)));
  await measure('5 % noise', 500, () => ({ share: OOD, pool: noise }));
  const foreign = foreignTo(task, randomOf(18));
  const foreignPool = await model(foreign.records);
  // Shuffled columns are the hardest of all: no single feature tells them.
  await measure(`5 % ${foreign.what}`, 500, () => ({ share: OOD, pool: foreignPool }), { beside: !task.picture });
  if (task.backdoored) {
    const { suspect, unseen } = task.backdoored;
    const served = await answered(unseen, suspect, shapeOf(task));
    const corner = await answered(stickered(unseen, task.sticker), suspect, shapeOf(task));
    await measure('2 % stickered', 300, () => ({ share: STICKERED, pool: corner }), { served });
    const middle = await answered(stickered(unseen, MIDDLE), suspect, shapeOf(task));
    await measure('2 % with a white patch in the middle', 300, () => ({ share: STICKERED, pool: middle }), {
      served,
      beside: true,
    });
  }
  return found;
}

/** Where pictures are bright anyway. The suspect does not know it: only what is put on, not what it does, can be seen. */
const MIDDLE = [27, 28, 35, 36];

/** A feature that varies, drawn anew for every run, moved up or down for everybody. */
function shifted(records: Records, { features }: Profile, random: Random): Records {
  const { count, width } = records;
  const varying = features.map((_, at) => at).filter((at) => (features[at]?.sd ?? 0) > 0);
  const at = varying[Math.floor(random() * varying.length)] ?? 0;
  const by = (random() < 0.5 ? -1 : 1) * SHIFT * (features[at]?.sd ?? 0);
  const moved = records.features.slice();
  for (let row = 0; row < count; row++) moved[row * width + at] = (moved[row * width + at] ?? 0) + by;
  return { ...records, features: moved };
}

/** Half of the requests are of one class, drawn anew for every run; of two classes it is the rarer one. */
function mixed(clean: Pool, classes: number, random: Random): Anomaly {
  const shares = Array.from({ length: classes }, (_, one) => clean.labels.filter((label) => label === one).length);
  const one = classes === 2 ? shares.indexOf(Math.min(...shares)) : Math.floor(random() * classes);
  const own = Array.from(clean.labels.keys()).filter((row) => clean.labels[row] === one);
  return { share: MIX, pool: clean, pick: (draw) => own[Math.floor(draw() * own.length)] ?? 0 };
}

function stickered(records: Records, cells: readonly number[]): Records {
  const { count, width } = records;
  const features = records.features.slice();
  for (let row = 0; row < count; row++) for (const cell of cells) features[row * width + cell] = 1;
  return { ...records, features };
}
