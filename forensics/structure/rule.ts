import type { Index } from './file/names.ts';
import type { ScannedModel } from './file/model.ts';

/** `alarm`: no honest exporter writes this, the file is flagged. `note`: worth knowing, flags nothing by itself. */
export type Level = 'alarm' | 'note';

export interface Hit {
  readonly place: string;
  readonly words: string;
  /** Where one rule has both: the level of this hit instead of the rule's. */
  readonly level?: Level;
}

export interface Subject {
  readonly model: ScannedModel;
  readonly index: Index;
  readonly bytes: Uint8Array;
  /** Size in bytes of the files beside the model by relative path; null where nobody knows them. */
  readonly externalFiles: ReadonlyMap<string, number> | null;
}

export interface Rule {
  readonly id: string;
  readonly level: Level;
  /** What it means when this rule speaks, in one sentence. */
  readonly meaning: string;
  /** A note of this rule that the golden model does not give is an alarm: only where honest retraining cannot bring it about. */
  readonly alarmingWhenNew?: true;
  check(subject: Subject): Iterable<Hit>;
}
