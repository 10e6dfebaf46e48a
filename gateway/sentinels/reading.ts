import type { Profile, StreamProfile } from '../../domain/contracts/golden.ts';
import { rarityOf, weigh } from '../../domain/profile/rarity.ts';
import { energy, entropy } from '../../domain/profile/scores.ts';
import { apart, hashingOf, nearest, sketch, SKETCH_WIDTH } from '../../domain/profile/sketch.ts';
import { standardise, standardOf } from '../../domain/profile/standard.ts';
import type { Asked, Clients } from './clients.ts';
import type { Answer } from './event.ts';
import { surpriseOf } from './tail.ts';

/** What several sentinels want to know of one answer, worked out once. The arrays are the reader's own and hold until the next reading. */
export interface Reading extends Answer {
  /** Features in deviations, clipped at ±8. */
  readonly z: Float64Array;
  readonly entropy: number;
  /** The rest needs a profile of the stream; null without. */
  readonly stream: StreamReading | null;
}

export interface StreamReading {
  readonly sketch: Float32Array;
  /** p-values of how far out the input is: by energy (1 where there is none), by the rarity of its values, by how its values go together, by the nearest reference. */
  readonly strangeness: {
    readonly energy: number;
    readonly rarity: number;
    readonly joint: number;
    readonly nearest: number;
  };
  /** Rarity of each value (`domain/profile/rarity.ts`) and their sum. */
  readonly weights: Float32Array;
  readonly weight: number;
  /** For whom the question counts. */
  readonly asked: readonly Asked[];
}

/** Reads answers against one profile, which never changes: the reference is frozen at release. Null for a row of another width. */
export type Reader = (client: string, answer: Answer) => Reading | null;

export function createReader(profile: Profile, clients: Clients): Reader {
  const standard = standardOf(profile.features);
  const z = new Float64Array(standard.width);
  const { stream } = profile;
  const readStream = stream ? streamReader(profile, stream, z, clients) : null;
  return (client, answer) => {
    if (answer.features.length !== standard.width) return null;
    standardise(standard, answer.features, z);
    return {
      features: answer.features,
      scores: answer.scores,
      probabilities: answer.probabilities,
      predicted: answer.predicted,
      confidence: answer.confidence,
      z,
      entropy: entropy(answer.probabilities),
      stream: readStream ? readStream(client, answer) : null,
    };
  };
}

function streamReader(profile: Profile, stream: StreamProfile, z: Float64Array, clients: Clients) {
  const hashing = hashingOf(stream.sketch.seed, z.length);
  const reference = Float32Array.from(stream.sketch.reference.flat());
  const rows = reference.length / SKETCH_WIDTH;
  const rarity = rarityOf(
    stream.features.map((shares, at) => ({ ...shares, quantiles: profile.features[at]?.quantiles ?? [] })),
    stream.count,
  );
  const law = {
    energy: stream.energy ? surpriseOf(stream.energy, stream.count) : null,
    rarity: surpriseOf(stream.rarity, stream.count),
    joint: surpriseOf(stream.joint, stream.count),
    nearest: surpriseOf(stream.nearest, stream.count),
  };
  const own = new Float32Array(SKETCH_WIDTH);
  const scratch = new Float64Array(SKETCH_WIDTH);
  const weights = new Float32Array(z.length);
  return (client: string, answer: Answer): StreamReading => {
    sketch(hashing, z, own);
    const weight = weigh(rarity, answer.features, weights);
    const heat = law.energy ? energy(answer.scores) : null;
    return {
      sketch: own,
      strangeness: {
        energy: law.energy && heat !== null ? law.energy(heat) : 1,
        rarity: law.rarity(weight),
        joint: law.joint(apart(stream.sketch, own, scratch)),
        nearest: law.nearest(nearest(own, reference, rows, 'none')),
      },
      weights,
      weight,
      asked: clients.note(client, own),
    };
  };
}
