import type { Random } from '../statistics/bootstrap.ts';

/** Records as they are asked, row-major [count × width]. */
export interface Queries {
  readonly features: Float32Array;
  readonly count: number;
}

/** Questions of an examination: more change little, the twins differ more than the questions. */
export const QUERIES = 3_000;

/**
 * Questions between the classes: each is one record with up to half of another laid over it (mixup, H. Zhang et al., ICLR 2018). Where models
 * are sure they all say the same; in between each shows what it made up by itself.
 */
export function mixtures(records: { features: Float32Array; count: number }, count: number, random: Random): Queries {
  const width = records.features.length / records.count;
  const features = new Float32Array(count * width);
  const drawn = () => Math.floor(random() * records.count) * width;
  for (let row = 0; row < count; row++) {
    const [first, second, share] = [drawn(), drawn(), random() / 2];
    for (let j = 0; j < width; j++)
      features[row * width + j] =
        (1 - share) * (records.features[first + j] ?? 0) + share * (records.features[second + j] ?? 0);
  }
  return { features, count };
}
