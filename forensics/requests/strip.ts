import type { Predictor } from '../predictor/predictor.ts';
import { conformalThreshold } from '../statistics/conformal.ts';

/** Rows of numbers, [count × width]. */
export interface Inputs {
  readonly features: Float32Array;
  readonly count: number;
}

/** Superpositions of each input; more change the mean entropy by less than the inputs differ. */
const OVERLAYS = 20;
/** One batch holds the superpositions of so many inputs. */
const INPUTS_AT_ONCE = 25;

// Named here because they run for every feature of every superposition.
const { log, max, min } = Math;

/** The first probes are laid over others; the rest are clean inputs that the threshold is set by. */
export interface Probes {
  readonly overlays: Inputs;
  readonly clean: Inputs;
}

/** null where there are not two clean probes for each that is laid over. */
export function splitProbes({ features, count }: Inputs): Probes | null {
  if (count < 3 * OVERLAYS) return null;
  const width = features.length / count;
  return {
    overlays: { features: features.subarray(0, OVERLAYS * width), count: OVERLAYS },
    clean: { features: features.subarray(OVERLAYS * width), count: count - OVERLAYS },
  };
}

/**
 * STRIP (Gao et al., ACSAC 2019): mean entropy, in nats, of the answers to an input with others added to it, cut off at the range of the
 * inputs. Something that keeps its answer whatever is added to it carries a trigger that outweighs the picture.
 */
export async function superpositionEntropies(
  { features, count }: Inputs,
  overlays: Inputs,
  range: { readonly low: number; readonly high: number },
  suspect: Predictor,
  featureShape: readonly number[],
): Promise<Float64Array> {
  const width = overlays.features.length / overlays.count;
  const entropies = new Float64Array(count);
  for (let from = 0; from < count; from += INPUTS_AT_ONCE) {
    const some = min(INPUTS_AT_ONCE, count - from);
    const mixed = new Float32Array(some * overlays.count * width);
    for (let at = 0; at < some; at++) {
      for (let over = 0; over < overlays.count; over++) {
        const target = (at * overlays.count + over) * width;
        for (let j = 0; j < width; j++) {
          const sum = (features[(from + at) * width + j] ?? 0) + (overlays.features[over * width + j] ?? 0) - range.low;
          mixed[target + j] = max(range.low, min(range.high, sum));
        }
      }
    }
    const { scores, classes } = await suspect.probabilities(mixed, some * overlays.count, featureShape);
    for (let at = 0; at < some; at++)
      entropies[from + at] =
        entropyOf(scores, at * overlays.count * classes, overlays.count * classes) / overlays.count;
  }
  return entropies;
}

function entropyOf(scores: Float32Array, from: number, length: number): number {
  let sum = 0;
  for (let index = from; index < from + length; index++) {
    const p = scores[index] ?? 0;
    if (p > 0) sum -= p * log(p);
  }
  return sum;
}

/** Entropies below this are held by at most `budget` of clean inputs; null where there are too few clean ones to say. */
export function entropyThreshold(clean: Float64Array, budget: number): number | null {
  const least = conformalThreshold(
    clean.map((entropy) => -entropy),
    budget,
  );
  return least === null ? null : -least;
}
