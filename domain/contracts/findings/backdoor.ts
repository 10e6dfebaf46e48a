/** What the trainer's searches found inside the model. */

import type { ExplainResult } from '../activations.ts';
import type { ObjectRef } from '../object-ref.ts';

/** A trigger to be looked at: row-major, one byte for each cell (0 to 255), base64, at most 32 by 32 cells. */
export interface TriggerPreview {
  readonly width: number;
  readonly height: number;
  readonly pattern: string;
  readonly mask: string;
}

export interface BackdoorDetail {
  readonly analyser: 'backdoor';
  readonly methods: readonly string[];
  readonly target: number | null;
  /** Of the recovered trigger, on probes that the search did not see. */
  readonly success: { value: number; low: number; high: number; n: number } | null;
  readonly flip: { source: number; target: number; shift: number } | null;
  readonly pValue: number | null;
  readonly falseAlarmBudget: number;
  readonly trigger: ObjectRef | null;
  readonly preview: TriggerPreview | null;
  readonly classes: readonly string[];
  /** All figures of the search. */
  readonly report: ObjectRef;
}

/** How the captured requests that suspect and golden model answer differently went through both. Informs; contains and drops nothing. */
export interface ActivationsDetail {
  readonly analyser: 'activations';
  readonly requests: number;
  readonly suspects: number;
  /** Of the suspect, in the order of the graph. */
  readonly layers: ExplainResult['layers'];
  /** The first layer that makes of the requests what the golden model's does not foretell: exact, after Holm over the layers. */
  readonly parts: { readonly layer: string; readonly pValue: number } | null;
  readonly dormant: ExplainResult['dormant'];
  readonly patterns: ExplainResult['patterns'];
  /**
   * Exact, after Holm over the three: that suspect requests lie outside their pattern, are not foretold by the golden model's layers, or light
   * silent units, as seldom as in clean models.
   */
  readonly pValues: { readonly patterns: number; readonly layers: number; readonly dormant: number } | null;
  readonly saliency: {
    /** The mask is the saliency, the pattern the mean of the explained requests. */
    readonly preview: TriggerPreview | null;
    readonly map: ObjectRef;
    readonly requests: number;
    readonly missed: number;
    /** The cells that speak loudest; `index` counts row by row within a channel, whose shares are summed. */
    readonly top: readonly { index: number; share: number }[];
    /** Columns of a row; one row where the record is no picture. */
    readonly width: number;
  } | null;
  /** Training records that pull towards the suspect's answers more than clean records do; `amongOthers` as in TrainingRecordsDetail. */
  readonly influence: {
    readonly examined: number;
    readonly marked: number;
    readonly threshold: number;
    readonly falseAlarmBudget: number;
    /** JSON array of {id, influence}, the strongest first, at most 1,000. */
    readonly list: ObjectRef | null;
    readonly byBatch: readonly {
      batch: string;
      source: string;
      records: number;
      marked: number;
      pValue: number;
      amongOthers: number;
    }[];
  } | null;
  readonly classes: readonly string[];
  /** All figures. */
  readonly report: ObjectRef;
}
