import type { PerturbedAgreement } from '../../domain/contracts/finding.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { createRandom } from '../statistics/bootstrap.ts';
import { winners } from '../statistics/calibration.ts';
import { confidenceSequence } from '../statistics/confidence-sequence.ts';

const BATCH = 128;
const MOST = 4096;
const LEVEL = 0.05;
/** An interval this narrow tells enough. */
const NARROW = 0.08;
/** Of a feature's range on the clean records: how far each is moved, uniformly. */
const NOISE = 0.1;
const SEED = 0;

export interface Clean {
  readonly features: Float32Array;
  readonly count: number;
}

/**
 * Do two models agree beside the data, where nobody trained them to? Clean records are moved at random, batch by batch, and the asking ends as
 * soon as the answer is clear: the agreement lies below `expected` (that on the records as they are), or its interval is narrow. The interval
 * holds however early it ends. null without records.
 */
export async function agreementPerturbed(
  models: { readonly suspect: Predictor; readonly golden: Predictor },
  clean: Clean,
  shape: readonly number[],
  expected: number,
): Promise<PerturbedAgreement | null> {
  if (clean.count === 0) return null;
  const width = clean.features.length / clean.count;
  const ranges = rangesOf(clean.features, width);
  const random = createRandom(SEED);
  let agreed = 0;
  for (let asked = BATCH; ; asked += BATCH) {
    const batch = moved(clean, ranges, random);
    const [own, reference] = [
      await models.suspect.probabilities(batch, BATCH, shape),
      await models.golden.probabilities(batch, BATCH, shape),
    ];
    const theirs = winners(reference.scores, reference.classes);
    agreed += winners(own.scores, own.classes).reduce((sum, answer, row) => sum + (answer === theirs[row] ? 1 : 0), 0);
    const { low, high } = confidenceSequence(agreed, asked, LEVEL);
    const parts = high < expected;
    if (parts || high - low <= NARROW || asked + BATCH > MOST)
      return { value: agreed / asked, low, high, n: asked, noise: NOISE, stopped: parts ? 'apart' : 'narrow' };
  }
}

type Range = { readonly low: number; readonly high: number };

function rangesOf(features: Float32Array, width: number): readonly Range[] {
  return Array.from({ length: width }, (_, column) => {
    let [low, high] = [Infinity, -Infinity];
    for (let at = column; at < features.length; at += width) {
      low = Math.min(low, features[at] ?? low);
      high = Math.max(high, features[at] ?? high);
    }
    return { low, high };
  });
}

/** Records drawn with replacement, every feature moved within its range. */
function moved({ features, count }: Clean, ranges: readonly Range[], random: () => number): Float32Array {
  const width = ranges.length;
  const out = new Float32Array(BATCH * width);
  for (let row = 0; row < BATCH; row++) {
    const from = Math.floor(random() * count) * width;
    ranges.forEach(({ low, high }, column) => {
      const value = (features[from + column] ?? 0) + NOISE * (2 * random() - 1) * (high - low);
      out[row * width + column] = Math.min(high, Math.max(low, value));
    });
  }
  return out;
}
