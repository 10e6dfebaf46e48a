import type { Profile } from '../../domain/contracts/golden.ts';
import { createSentinels } from '../../gateway/sentinels/sentinels.ts';
import type { Task } from './data.ts';
import { foreignTo, noiseLike } from './foreign.ts';
import { train } from './network.ts';
import { shapeOf } from './profiles.ts';
import { normalOf, orderOf, randomOf, type Random } from './random.ts';
import { answered, eventOf, visitors, type Pool } from './stream.ts';

/**
 * Where an extractor's questions come from: what he has at hand (Orekondy et al., CVPR 2019), numbers drawn at random (Tramèr et al., USENIX
 * Security 2016), or those of a pool that his copy is least sure of (Pal et al., AAAI 2020). `insider` has records of the very task, and asks
 * where his copy is least sure: what he asks is what any client asks. `steps` starts from ten such records and walks on from what he asked
 * before, by small steps (Papernot et al., AsiaCCS 2017).
 */
export const STRATEGIES = ['knock-off', 'random', 'active', 'steps', 'insider'] as const;
export type Strategy = (typeof STRATEGIES)[number];

export interface Extraction {
  readonly task: string;
  readonly strategy: Strategy;
  /** Questions of the extractor until the first alarm about him, and which it was; null where there was none. */
  readonly seenAfter: number | null;
  readonly by: string | null;
  /** Questions with which his copy agreed with the model on 80 % of unseen records; null where it never did. */
  readonly copiedAfter: number | null;
  readonly fidelity: number;
}

/** Share of the traffic that is the extractor's. */
const SHARE = 0.2;
const BEFORE = 2500;
const QUESTIONS = 320;
/** When the copy is trained anew and looked at. */
const LOOKS = [10, 20, 30, 40, 60, 80, 110, 150, 200, 260, QUESTIONS];
const COPIED = 0.8;
const JUDGED_ON = 500;
const COPY = { hidden: 24, epochs: 60, rate: 0.005 } as const;
const EXTRACTOR = 'extractor';

export async function extractionOf(
  task: Task,
  profile: Profile,
  strategy: Strategy,
  seed: number,
): Promise<Extraction> {
  const random = randomOf(seed);
  const clean = await answered(task.unseen, task.golden, shapeOf(task));
  const questions = await questionsOf(task, clean, strategy, random);
  const sentinels = createSentinels(profile);
  const next = visitors(clean.count, random);
  const asked: number[] = [];
  let [seenAfter, copiedAfter, by, fidelity]: [number | null, number | null, string | null, number] = [
    null,
    null,
    null,
    0,
  ];
  for (let at = 0; asked.length < QUESTIONS; at++) {
    if (at < BEFORE || random() >= SHARE) {
      const { client, row } = next();
      sentinels.observe(eventOf(clean, row, client, at, random));
      continue;
    }
    const row = questions.next(asked.length);
    asked.push(row);
    const alarms = sentinels.observe(eventOf(questions.pool, row, EXTRACTOR, at, random));
    const own = alarms.find(({ client }) => client === EXTRACTOR || client?.startsWith('('));
    if (seenAfter === null && own) [seenAfter, by] = [asked.length, own.sentinel];
    if (LOOKS.includes(asked.length) && copiedAfter === null) {
      const copy = copyFrom(questions.pool, asked, random);
      fidelity = agreement(copy, clean, random);
      if (fidelity >= COPIED) copiedAfter = asked.length;
      questions.learn(copy, asked);
    }
  }
  return { task: task.name, strategy, seenAfter, by, copiedAfter, fidelity };
}

interface Questions {
  readonly pool: Pool;
  next(asked: number): number;
  learn(copy: ReturnType<typeof copyFrom>, asked: readonly number[]): void;
}

async function questionsOf(task: Task, clean: Pool, strategy: Strategy, random: Random): Promise<Questions> {
  const model = (records: Parameters<typeof answered>[0]) => answered(records, task.golden, shapeOf(task));
  const pool =
    strategy === 'random'
      ? await model(noiseLike(task.unseen, QUESTIONS, random))
      : strategy === 'insider'
        ? clean
        : strategy === 'steps'
          ? await model(stepsFrom(clean, random))
          : await model(foreignTo(task, random).records);
  const order =
    strategy === 'steps' ? Int32Array.from({ length: pool.count }, (_, at) => at) : orderOf(pool.count, random);
  let queue = Array.from(order);
  return {
    pool,
    next: () => queue.shift() ?? 0,
    learn(copy, asked) {
      if (strategy !== 'active' && strategy !== 'insider') return;
      const left = new Set(asked);
      const some = queue.slice(0, 1500).filter((row) => !left.has(row));
      const doubt = (row: number): number => {
        const own = copy.logits(pool.features.subarray(row * pool.width, (row + 1) * pool.width), 1).sort();
        return -((own.at(-1) ?? 0) - (own.at(-2) ?? 0));
      };
      const doubts = new Map(some.map((row) => [row, doubt(row)]));
      some.sort((one, other) => (doubts.get(other) ?? 0) - (doubts.get(one) ?? 0));
      queue = [...some, ...queue.slice(1500)];
    },
  };
}

const SEEDS = 10;
const STEP = 0.4;

/** Every question is one of those before, moved by normal steps of .4 deviations in each feature. */
function stepsFrom(clean: Pool, random: Random) {
  const { width } = clean;
  const sd = Float64Array.from({ length: width }, (_, at) => {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < clean.count; row++) {
      const value = clean.features[row * width + at] ?? 0;
      sum += value;
      squares += value * value;
    }
    return Math.sqrt(Math.max(0, squares / clean.count - (sum / clean.count) ** 2));
  });
  const features = new Float32Array(QUESTIONS * width);
  for (let row = 0; row < QUESTIONS; row++) {
    const from = Math.floor(random() * (row < SEEDS ? clean.count : row));
    for (let at = 0; at < width; at++) {
      const before = (row < SEEDS ? clean.features : features)[from * width + at] ?? 0;
      features[row * width + at] = row < SEEDS ? before : before + STEP * (sd[at] ?? 0) * normalOf(random);
    }
  }
  return { count: QUESTIONS, width, features, labels: new Int32Array(QUESTIONS), groups: null };
}

/** Trained on the distributions that were answered. */
function copyFrom(pool: Pool, asked: readonly number[], random: Random) {
  const { width, classes } = pool;
  const features = new Float32Array(asked.length * width);
  const targets = new Float32Array(asked.length * classes);
  asked.forEach((row, at) => {
    features.set(pool.features.subarray(row * width, (row + 1) * width), at * width);
    targets.set(pool.probabilities.subarray(row * classes, (row + 1) * classes), at * classes);
  });
  return train(features, targets, { count: asked.length, width, classes }, COPY, random);
}

/** Mean over the model's classes of how often the copy says the same: where nine of ten answers are one class, saying it always is no copy. */
function agreement(copy: ReturnType<typeof copyFrom>, clean: Pool, random: Random): number {
  const { width, classes } = clean;
  const same = new Float64Array(classes);
  const all = new Float64Array(classes);
  for (const row of orderOf(clean.count, random).subarray(0, JUDGED_ON)) {
    const own = copy.logits(clean.features.subarray(row * width, (row + 1) * width), 1);
    const said = own.indexOf(own.reduce((most, value) => Math.max(most, value), -Infinity));
    const answer = clean.predicted[row] ?? 0;
    all[answer] = (all[answer] ?? 0) + 1;
    if (said === answer) same[answer] = (same[answer] ?? 0) + 1;
  }
  const shares = Array.from(all.keys())
    .filter((one) => (all[one] ?? 0) > 0)
    .map((one) => (same[one] ?? 0) / (all[one] ?? 1));
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
