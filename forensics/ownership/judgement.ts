import type { Kinship } from './kinship.ts';

/** Share of models that owe the own one nothing and are called its copies all the same. */
export const FALSE_ACCUSATIONS = 0.01;
/** Below this the own model is none of its twins' family: trained otherwise than they. */
const STRANGER = 0.01;

export interface Judgement {
  /** `derived`: nothing but descent explains it. `not-shown` is no proof of independence. */
  readonly verdict: 'derived' | 'not-shown' | 'inconclusive';
  readonly reason: string;
}

export function judge({ own, twins, pValue, familyPValue }: Kinship): Judgement {
  if (![own, ...twins].every(Number.isFinite))
    return { verdict: 'inconclusive', reason: 'A model gives every question the same answer.' };
  if (familyPValue < STRANGER)
    return {
      verdict: 'inconclusive',
      reason:
        'The own model is not like its twins: they were trained otherwise than it was, so that nothing follows from the comparison.',
    };
  return pValue <= FALSE_ACCUSATIONS
    ? {
        verdict: 'derived',
        reason:
          'The suspect is nearer to the own model than to models that were made in the same way: it descends from it.',
      }
    : {
        verdict: 'not-shown',
        reason: 'The suspect is no nearer to the own model than chance explains. That proves no independence.',
      };
}
