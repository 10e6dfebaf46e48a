import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { seeded, shuffled } from './random.ts';

/** One hand-written digit: 64 grey values from 0 to 1, row by row. */
export interface Sample {
  readonly id: string;
  readonly image: readonly number[];
  readonly label: number;
}

export interface Split {
  /** What the golden model is trained on. */
  readonly history: readonly Sample[];
  /** What arrives later in one ingestion batch; the attacker's source delivers it. */
  readonly arrival: readonly Sample[];
  /** Clean and never trained on; Lazaret evaluates and profiles with it. */
  readonly holdout: readonly Sample[];
  /** The drill's own: traffic and the measurement of the outcome. */
  readonly secret: readonly Sample[];
}

const HISTORY = 1000;
const ARRIVAL = 200;
const HOLDOUT = 300;

const fileSchema = z.object({
  images: z.array(z.array(z.number()).length(64)),
  labels: z.array(z.number().int().min(0).max(9)),
});

/** scikit-learn's bundled digits (1797 images, 8 × 8; Alpaydin and Kaynak 1998, CC BY 4.0), read through the trainer's Python. */
export async function loadDigits(python: { executable: string; path: string }, seed: number): Promise<Split> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-digits-'));
  try {
    const file = join(folder, 'digits.json');
    await promisify(execFile)(python.executable, ['-m', 'lazaret_trainer.samples', 'digits', '--out', file], {
      env: { ...process.env, PYTHONPATH: python.path },
    });
    const { images, labels } = fileSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    const all = images.map((image, index) => ({
      id: `digit-${String(index).padStart(4, '0')}`,
      image,
      label: labels[index]!,
    }));
    const order = shuffled(all, seeded(seed));
    return {
      history: order.slice(0, HISTORY),
      arrival: order.slice(HISTORY, HISTORY + ARRIVAL),
      holdout: order.slice(HISTORY + ARRIVAL, HISTORY + ARRIVAL + HOLDOUT),
      secret: order.slice(HISTORY + ARRIVAL + HOLDOUT),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The untrained network that the golden model is trained from. */
export async function untrainedNetwork(
  python: { executable: string; path: string },
  seed: number,
): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-network-'));
  try {
    const file = join(folder, 'model.onnx');
    await promisify(execFile)(
      python.executable,
      ['-m', 'lazaret_trainer.samples', 'digits-cnn', '--seed', String(seed), '--out', file],
      {
        env: { ...process.env, PYTHONPATH: python.path },
      },
    );
    return new Uint8Array(await readFile(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
