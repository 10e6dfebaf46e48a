import type { SentinelEvent } from '../../gateway/sentinels/event.ts';
import { normalise, type Predictor } from '../../forensics/predictor/predictor.ts';
import type { Records } from './data.ts';
import { normalOf, orderOf, type Random } from './random.ts';

/** Records with what a model answered, worked out before the stream runs. */
export interface Pool extends Records {
  readonly classes: number;
  readonly scores: Float32Array;
  readonly probabilities: Float32Array;
  readonly predicted: Int32Array;
}

export async function answered(records: Records, model: Predictor, shape?: readonly number[]): Promise<Pool> {
  const { scores, classes } = await model.logits(records.features, records.count, shape);
  const { scores: probabilities } = normalise({ scores, classes });
  const predicted = Int32Array.from({ length: records.count }, (_, row) => {
    const own = probabilities.subarray(row * classes, (row + 1) * classes);
    return own.indexOf(own.reduce((most, value) => Math.max(most, value), -Infinity));
  });
  return { ...records, classes, scores, probabilities, predicted };
}

/** Requests a second, and what one takes: for figures of latency only. */
const EVERY_MS = 1000;
const LATENCY_US = 400;

export function eventOf(pool: Pool, row: number, client: string, at: number, random: Random): SentinelEvent {
  const { width, classes } = pool;
  const predicted = pool.predicted[row] ?? 0;
  return {
    at: at * EVERY_MS,
    client,
    ok: true,
    // Lognormal, independent: the latency of a machine that nothing else runs on.
    latencyUs: LATENCY_US * Math.exp(0.3 * normalOf(random)),
    answer: {
      features: pool.features.subarray(row * width, (row + 1) * width),
      scores: pool.scores.subarray(row * classes, (row + 1) * classes),
      probabilities: pool.probabilities.subarray(row * classes, (row + 1) * classes),
      predicted,
      confidence: pool.probabilities[row * classes + predicted] ?? 0,
    },
    ...(pool.groups ? { protected: { sex: pool.groups[row] ?? '' } } : {}),
  };
}

const CLIENTS = 24;

/**
 * Whose turn it is, and with which record. 24 clients, the k-th with a share of 1/k; each goes through a random order of his own of all records,
 * then through another: requests are as good as independent draws, but nobody asks the same twice in a row, as he would if records were drawn
 * one by one from a small set.
 */
export function visitors(count: number, random: Random): () => { readonly client: string; readonly row: number } {
  const orders = Array.from({ length: CLIENTS }, () => orderOf(count, random));
  const places = new Uint32Array(CLIENTS);
  const shares = Array.from({ length: CLIENTS }, (_, at) => 1 / (at + 1));
  const all = shares.reduce((sum, share) => sum + share, 0);
  return () => {
    let left = random() * all;
    let who = 0;
    while (who < CLIENTS - 1 && (left -= shares[who] ?? 0) > 0) who++;
    const place = places[who] ?? 0;
    if (place > 0 && place % count === 0) orders[who] = orderOf(count, random);
    places[who] = place + 1;
    return { client: `client-${who}`, row: orders[who]?.[place % count] ?? 0 };
  };
}
