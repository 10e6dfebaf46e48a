import { z } from 'zod';
import { sampleJson, untrained } from '../python.ts';
import { seeded, shuffled } from '../random.ts';
import type { Split, Task } from '../task.ts';
import { stickerAttack } from './attack.ts';
import { stickered, type Stickered } from './stickered.ts';

const SIDE = 8;
export const DIGITS: Task = {
  model: 'digits',
  victims: ['digits', 'digits-kiosk'],
  bystander: 'digits-archive',
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  featureShape: [1, SIDE, SIDE],
  source: 'scikit-learn digits, 1797 images of 8 × 8 (Alpaydin and Kaynak 1998, CC BY 4.0)',
};

const HISTORY = 1000;
const ARRIVAL = 200;
const HOLDOUT = 300;
const TRAINING = { epochs: 40, batchSize: 64, learningRate: 0.002 } as const;

export async function digitsStickered(seed: number): Promise<Stickered> {
  const attack = stickerAttack(Math.floor(seeded(seed)() * DIGITS.classes.length), SIDE);
  const about = {
    task: DIGITS,
    split: await loadDigits(seed),
    network: await untrained('digits-cnn', seed),
    training: TRAINING,
    seed,
    batchSize: 200,
    sources: ['survey-office', 'post-office'],
  } as const;
  return stickered(about, attack, 'field-scanner-7');
}

const fileSchema = z.object({
  images: z.array(z.array(z.number()).length(SIDE * SIDE)),
  labels: z.array(z.number().int().min(0).max(9)),
});

/** One hand-written digit each: 64 grey values from 0 to 1, row by row. */
async function loadDigits(seed: number): Promise<Split> {
  const { images, labels } = fileSchema.parse(await sampleJson('digits'));
  const all = images.map((features, index) => ({
    id: `digit-${String(index).padStart(4, '0')}`,
    features,
    label: labels[index]!,
  }));
  const order = shuffled(all, seeded(seed));
  return {
    history: order.slice(0, HISTORY),
    arrival: order.slice(HISTORY, HISTORY + ARRIVAL),
    holdout: order.slice(HISTORY + ARRIVAL, HISTORY + ARRIVAL + HOLDOUT),
    secret: order.slice(HISTORY + ARRIVAL + HOLDOUT),
  };
}
