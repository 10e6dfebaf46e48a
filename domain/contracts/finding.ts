import type { FailureCode } from '../incident/failures.ts';
import type { ActivationsDetail, BackdoorDetail } from './findings/backdoor.ts';
import type { BehaviourDetail } from './findings/behaviour.ts';
import type { GraphDetail, LineageDetail, SignatureDetail, StructureDetail, WeightsDetail } from './findings/model.ts';
import type { DuplicatesDetail, PoisonDetail, TrainingRecordsDetail } from './findings/records.ts';
import type { ExtractionDetail, RequestsDetail } from './findings/requests.ts';

export type * from './findings/backdoor.ts';
export type * from './findings/behaviour.ts';
export * from './findings/model.ts';
export type * from './findings/records.ts';
export type * from './findings/requests.ts';

/** All analysers, in the order the report shows them. */
export const ANALYSERS = [
  'signature',
  'lineage',
  'graph',
  'structure',
  'weights',
  'behaviour',
  'backdoor',
  'poison',
  'duplicates',
  'requests',
  'activations',
  'extraction',
  'training-records',
] as const;

export type AnalyserName = (typeof ANALYSERS)[number];

export type FindingVerdict = 'compromised' | 'suspicious' | 'clean' | 'inconclusive';

export type FindingDetail =
  | LineageDetail
  | SignatureDetail
  | GraphDetail
  | StructureDetail
  | WeightsDetail
  | BehaviourDetail
  | BackdoorDetail
  | PoisonDetail
  | DuplicatesDetail
  | RequestsDetail
  | ActivationsDetail
  | ExtractionDetail
  | TrainingRecordsDetail;

/** What an analyser answers. A crash is a finding too: verdict `inconclusive` with `failure`. */
export interface Finding {
  readonly analyser: AnalyserName;
  readonly question: string;
  readonly verdict: FindingVerdict;
  /** Calibrated probability that the verdict is right; null where no calibration exists. */
  readonly confidence: number | null;
  /** One sentence for people. */
  readonly summary: string;
  readonly detail: FindingDetail | null;
  readonly failure: { code: FailureCode; message: string } | null;
}
