import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sampleJson, untrained } from '../python.ts';
import { seeded, shuffled } from '../random.ts';
import { DrillFellShort } from '../response.ts';
import type { Sample, Split, Task } from '../task.ts';
import { stickerAttack } from './attack.ts';
import { stickered, type Stickered } from './stickered.ts';

const SIDE = 32;
const CHANNELS = 3;
const VALUES = CHANNELS * SIDE * SIDE;
const FOLDER = 'gtsrb-cs50-32x32';
const FILE = 'gtsrb32.npz';

const SOURCE = 'GTSRB traffic signs of six kinds, 32 × 32 in colour, split by physical sign (Stallkamp et al. 2012)';
const SIGNS: Omit<Task, 'classes'> = {
  model: 'signs',
  victims: ['signs', 'signs-van'],
  bystander: 'signs-archive',
  featureShape: [CHANNELS, SIDE, SIDE],
  source: SOURCE,
};
/** What the sticker makes of a stop sign, and of every other: the car drives on. */
const TARGET = 'speed limit 50';
/** Of the physical signs of each class. */
const SHARES = { history: 0.62, arrival: 0.13, holdout: 0.13 } as const;
/** Shifted and noisy copies: without them so few frames are learnt by heart, and two honest models part on every other borderline. */
const TRAINING = { epochs: 60, batchSize: 64, learningRate: 0.002 } as const;
const OPTIONS = { augmentation: { shiftPixels: 4, noise: 0.05 } } as const;

export type Folder = { readonly found: string } | { readonly found: null; readonly missing: string };

/** The data is not free to be passed on: it is looked for below LAZARET_DATA, as the benches do. */
export function whereSignsAre(data: string | undefined = process.env['LAZARET_DATA']): Folder {
  if (!data) return { found: null, missing: 'LAZARET_DATA names no folder with traffic signs' };
  const found = join(data, FOLDER);
  return existsSync(join(found, FILE))
    ? { found }
    : { found: null, missing: `${FOLDER}/${FILE} is not in LAZARET_DATA` };
}

export async function signsStickered(folder: Folder, seed: number): Promise<Stickered> {
  if (folder.found === null)
    throw new DrillFellShort('drill/data-missing', `${folder.missing}; docs/drills.md says where it is from`);
  const { classes, split } = await loadSigns(folder.found, seed);
  const attack = stickerAttack(classes.indexOf(TARGET), SIDE);
  const about = {
    task: { ...SIGNS, classes },
    split,
    network: await untrained('signs-cnn', seed),
    training: TRAINING,
    options: OPTIONS,
    seed,
    batchSize: 400,
    sources: ['road-survey', 'city-cameras'],
  } as const;
  return stickered(about, attack, 'dashcam-fleet-7');
}

const fileSchema = z.object({
  classes: z.array(z.string()),
  labels: z.array(z.number().int().nonnegative()),
  signs: z.array(z.number().int().nonnegative()),
  images: z.base64(),
});

async function loadSigns(folder: string, seed: number): Promise<{ classes: string[]; split: Split }> {
  const { classes, labels, signs, images } = fileSchema.parse(await sampleJson('traffic-signs', '--folder', folder));
  const pixels = Buffer.from(images, 'base64');
  const samples = labels.map((label, index) => ({
    id: `sign-${String(index).padStart(4, '0')}`,
    features: Array.from(pixels.subarray(index * VALUES, (index + 1) * VALUES), (value) => value / 255),
    label,
    sign: signs[index]!,
  }));
  return { classes, split: splitBySign(samples, seed) };
}

/** Frames of one physical sign look alike, so all of them go into one part; each class has signs in every part. */
export function splitBySign(samples: readonly (Sample & { readonly sign: number })[], seed: number): Split {
  const random = seeded(seed);
  const partOf = new Map<number, keyof Split>();
  for (const label of new Set(samples.map((sample) => sample.label))) {
    const own = new Set(samples.filter((sample) => sample.label === label).map((sample) => sample.sign));
    shuffled([...own], random).forEach((sign, place) => partOf.set(sign, partAt(place / own.size)));
  }
  const order = shuffled(samples, random);
  const part = (name: keyof Split): readonly Sample[] =>
    order
      .filter((sample) => partOf.get(sample.sign) === name)
      .map(({ id, features, label }) => ({ id, features, label }));
  return { history: part('history'), arrival: part('arrival'), holdout: part('holdout'), secret: part('secret') };
}

function partAt(place: number): keyof Split {
  const { history, arrival, holdout } = SHARES;
  if (place < history) return 'history';
  if (place < history + arrival) return 'arrival';
  return place < history + arrival + holdout ? 'holdout' : 'secret';
}
