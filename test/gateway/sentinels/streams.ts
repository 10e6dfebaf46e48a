import type { Profile } from '../../../domain/contracts/golden.ts';
import type { Digest } from '../../../domain/proofs/digest.ts';
import type { Predictor } from '../../../forensics/predictor/predictor.ts';
import { normalise } from '../../../forensics/predictor/predictor.ts';
import { profileOf } from '../../../forensics/evaluation/profile.ts';
import type { SentinelEvent } from '../../../gateway/sentinels/event.ts';

/** Splitmix32: streams are the same in every run. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

export type Random = ReturnType<typeof randomOf>;

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export const WIDTH = 12;
export const CLASSES = 3;
/** Each class has its own centre; the last two features are nearly always 0, as the corner of a picture is. */
const DARK = 2;

export function record(label: number, random: Random): Float32Array {
  return Float32Array.from({ length: WIDTH }, (_, at) => {
    if (at >= WIDTH - DARK) return random() < 0.01 ? random() : 0;
    return (at % CLASSES === label ? 2 : 0) + normal(random);
  });
}

/** The score of a class is the sum of the features that are higher in it: a model that is right for most. */
function scoresOf(row: ArrayLike<number>): number[] {
  return Array.from({ length: CLASSES }, (_, one) => {
    let sum = 0;
    for (let at = one; at < WIDTH - DARK; at += CLASSES) sum += row[at] ?? 0;
    return sum;
  });
}

const predictor: Predictor = {
  featureShape: [WIDTH],
  logits: (features, count) =>
    Promise.resolve({
      scores: Float32Array.from(
        Array.from({ length: count }, (_, row) => scoresOf(features.subarray(row * WIDTH, (row + 1) * WIDTH))).flat(),
      ),
      classes: CLASSES,
    }),
  probabilities: async (features, count) => normalise(await predictor.logits(features, count)),
  close: () => Promise.resolve(),
};

export async function goldenProfile(count = 2000, seed = 1): Promise<Profile> {
  const random = randomOf(seed);
  const labels = Int32Array.from({ length: count }, () => Math.floor(random() * CLASSES));
  const features = new Float32Array(count * WIDTH);
  labels.forEach((label, row) => features.set(record(label, random), row * WIDTH));
  const names = Array.from({ length: count }, (_, row) => String(row));
  const columns = { count, width: WIDTH, ids: names, features, labels, sources: names, batches: names };
  const { profile } = await profileOf(predictor, null, columns);
  const probe = {
    store: 'artifacts',
    digest: `sha256:${'0'.repeat(64)}` as Digest,
    bytes: 1,
    mediaType: 'x/y',
    name: 'p',
  } as const;
  return { ...profile, probes: { inputs: probe, outputs: probe, count: 256 } };
}

/** What the gateway would tell of a request with these features. */
export function asked(features: Float32Array, more: Partial<SentinelEvent> = {}): SentinelEvent {
  const scores = scoresOf(features);
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((total, power) => total + power, 0);
  const probabilities = powers.map((power) => power / sum);
  const predicted = scores.indexOf(top);
  return {
    at: 0,
    client: 'somebody',
    ok: true,
    latencyUs: 400,
    answer: { features, scores, probabilities, predicted, confidence: probabilities[predicted] ?? 0 },
    ...more,
  };
}

/** Clean requests of ten clients. */
export function clean(random: Random): SentinelEvent {
  const features = record(Math.floor(random() * CLASSES), random);
  return asked(features, {
    client: `client-${Math.floor(random() * 10)}`,
    latencyUs: 400 * Math.exp(0.3 * normal(random)),
  });
}
