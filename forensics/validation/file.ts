import type { GateResult } from '../../domain/contracts/plan.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import { unmeasured } from './gate.ts';

/** What can be said of a model's file without running it. */
export interface FileNeeds {
  readonly graphs: { readonly candidate: Digest | null; readonly golden: Digest | null };
  /** Float weights of the candidate that are not numbers; null where it could not be read. */
  readonly nonFiniteWeights: number | null;
}

export function graphGate({ graphs }: FileNeeds): GateResult {
  const about = {
    id: 'graph',
    title: 'Graph unchanged',
    threshold: 'only the values of float initializers differ from the golden model',
  };
  if (!graphs.candidate || !graphs.golden) return unmeasured(about, 'A graph could not be read.');
  const same = graphs.candidate === graphs.golden;
  return {
    ...about,
    verdict: same ? 'pass' : 'fail',
    figure: graphs.candidate,
    golden: graphs.golden,
    reason: same ? 'The graph hashes are equal.' : 'The graph hashes differ: something else than weights was changed.',
  };
}

export function weightsGate({ nonFiniteWeights }: FileNeeds): GateResult {
  const about = { id: 'weights', title: 'Weights are numbers', threshold: 'no weight is NaN or infinite' };
  if (nonFiniteWeights === null) return unmeasured(about, 'The weights of the candidate could not be read.');
  return {
    ...about,
    verdict: nonFiniteWeights === 0 ? 'pass' : 'fail',
    figure: nonFiniteWeights,
    golden: 0,
    reason: nonFiniteWeights === 0 ? 'All weights are finite.' : `${nonFiniteWeights} weights are NaN or infinite.`,
  };
}
