import type { WeightChange } from '../../domain/contracts/finding.ts';
import { evidenceOf } from './evidence.ts';
import { kindOf } from './kinds.ts';
import { distance, matchUnits } from './matching.ts';
import type { TensorPair } from './pair.ts';

/** A permutation explains most of the difference or it is none: cosines of unrelated neurons always find some order. */
const MAX_LEFT = 0.25;

/**
 * Names the kind of change between two models of one shape. Where the change looks like training, a permutation of hidden neurons is undone
 * first; what is left after it is named in `rest`.
 */
export function changeOf(pairs: readonly TensorPair[]): WeightChange {
  const named = kindOf(pairs.map(evidenceOf));
  if (named.kind !== 'dense' && named.kind !== 'scattered' && named.kind !== 'low-rank' && named.kind !== 'few-neurons')
    return named;
  const { pairs: matched, moved } = matchUnits(pairs);
  const sum = (all: readonly TensorPair[]) => all.reduce((total, pair) => total + distance(pair), 0);
  if (moved === 0 || sum(matched) > MAX_LEFT * sum(pairs)) return named;
  return {
    kind: 'permutation',
    because: `${moved} hidden neurons stand in another place, with all their connections`,
    rest: kindOf(matched.map(evidenceOf)).kind,
  };
}
