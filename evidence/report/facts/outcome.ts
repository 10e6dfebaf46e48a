import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { Tone } from '../document.ts';

export interface OutcomeWords {
  /** For the title: `repaired and back in service`. */
  readonly words: string;
  readonly badge: string;
  readonly tone: Tone;
}

/** How the incident ended, as far as the case file shows: a report never says "released" without a release. */
export function outcomeOf(file: CaseFile): OutcomeWords {
  if (file.release && file.plan) {
    switch (file.plan.action) {
      case 'retrain':
      case 'unlearn':
        return { words: 'repaired and back in service', badge: 'repaired', tone: 'good' };
      case 'restore':
        return { words: 'golden model restored', badge: 'restored', tone: 'good' };
      case 'resume':
        return { words: 'nothing found, service resumed', badge: 'resumed', tone: 'good' };
    }
  }
  const ended = file.entries.findLast((entry) => entry.phase === 'incident' && ENDINGS.has(entry.step))?.step;
  return {
    words: `${ended ?? 'not released'}, the endpoint stays as contained`,
    badge: ended ?? 'not released',
    tone: 'caution',
  };
}

const ENDINGS: ReadonlySet<string> = new Set(['aborted', 'cancelled']);
