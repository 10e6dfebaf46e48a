import type { FailureCode } from '../incident/failures.ts';
import type { Digest } from '../proofs/digest.ts';
import type { ExplainResult } from './activations.ts';
import type { Interval } from './interval.ts';
import type { ObjectRef } from './object-ref.ts';

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

/** How an endpoint or data set stands to the tainted data. */
export interface LineageDetail {
  readonly analyser: 'lineage';
  readonly suspectDataset: Digest | null;
  readonly goldenDataset: Digest;
  /** Batches that the suspect was trained on and the golden model was not. */
  readonly newBatches: readonly { batch: string; source: string; records: number; ingestedAt: string }[];
  readonly missingBatches: readonly string[];
  /** Every configured endpoint, with the artifact it serves and the batches behind it that the golden data set lacks. */
  readonly endpoints: readonly {
    endpoint: string;
    artifact: Digest | null;
    dataset: Digest | null;
    newBatches: readonly string[];
    /** Why nothing can be said, e.g. the endpoint did not answer or no provenance is on record. */
    unknown: string | null;
  }[];
}

export interface SignatureDetail {
  readonly analyser: 'signature';
  readonly served: Digest;
  readonly golden: Digest;
  readonly signedBy: string | null;
  readonly reason: string | null;
}

export interface GraphDetail {
  readonly analyser: 'graph';
  readonly suspectHash: Digest;
  readonly goldenHash: Digest;
  /** At most 50 differences, in words: `node 4 Conv: attribute strides [1,1] → [2,2]`. */
  readonly differences: readonly string[];
}

export interface StructureDetail {
  readonly analyser: 'structure';
  /** Counts of the whole scan; the list below is cut. */
  readonly alarms: number;
  readonly notes: number;
  /** Whether a golden model was at hand. */
  readonly compared: boolean;
  /** Alarms first, at most 50. `rule` is one of docs/forensics/structure.md. */
  readonly findings: readonly {
    rule: string;
    level: 'alarm' | 'note';
    place: string;
    words: string;
    inGolden: boolean;
  }[];
  readonly examined: {
    bytes: number;
    graphs: number;
    nodes: number;
    functions: number;
    tensors: number;
    texts: number;
  };
}

/** Kinds of change between two sets of weights, by what could have made them. */
export const WEIGHT_CHANGES = [
  'none',
  'pruned',
  'requantised',
  'low-bits',
  'bit-flips',
  'scaled',
  'few-neurons',
  'low-rank',
  'permutation',
  'dense',
  'scattered',
] as const;

export interface WeightChange {
  readonly kind: (typeof WEIGHT_CHANGES)[number];
  /** The rule that named it. */
  readonly because: string;
  /** After a permutation was undone: the kind of what is left. */
  readonly rest?: (typeof WEIGHT_CHANGES)[number];
}

export interface WeightsDetail {
  readonly analyser: 'weights';
  readonly change?: WeightChange;
  /** One row per tensor both models have, in graph order, at most 200. */
  readonly tensors: readonly {
    name: string;
    shape: readonly number[];
    l2Suspect: number;
    l2Golden: number;
    /** ‖suspect − golden‖₂ / ‖golden‖₂ */
    relativeChange: number;
    changedShare: number;
    /** Largest singular values of the difference seen as a matrix [first dimension × rest], descending, at most 8. */
    spectrum: readonly number[];
    /** exp of the entropy of the normalised squared singular values. */
    effectiveRank: number;
  }[];
  readonly relativeChange: number;
}

export interface BehaviourDetail {
  readonly analyser: 'behaviour';
  readonly requests: number;
  readonly agreement: Interval;
  readonly probeAgreement: Interval;
  readonly confidenceSuspect: number;
  readonly confidenceGolden: number;
  /** Counts [golden class][suspect class] over the captured requests. */
  readonly flow: readonly (readonly number[])[];
  readonly classes: readonly string[];
  /** The captured attack: requests on which the suspect leaves the golden answer for one class far more often than the rest. */
  readonly attack: { targetClass: number; requests: ObjectRef; count: number; pValue: number } | null;
  /** On clean records that were moved at random. Informs; decides nothing, like the two below. */
  readonly perturbed?: PerturbedAgreement | null;
  /** On labelled clean records. */
  readonly sureness?: SurenessShift | null;
  readonly classesApart?: readonly ClassApart[];
}

/** Agreement of two models, asked until it was clear; the interval holds however early the asking ended (95 %). */
export interface PerturbedAgreement {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** How far each feature was moved at most, as a share of its range. */
  readonly noise: number;
  /** `apart`: less than on the records as they are; `narrow`: the interval was narrow enough, or enough was asked. */
  readonly stopped: 'apart' | 'narrow';
}

/** Top scores and expected calibration errors; null where scores are no numbers. */
export interface SurenessShift {
  /** Mean difference of the suspect's top score and the golden model's, record by record. */
  readonly shift: Interval | null;
  readonly eceSuspect: Interval | null;
  readonly eceGolden: Interval | null;
}

/** How often the two models agree on clean records of one class. */
export interface ClassApart {
  readonly label: number;
  readonly agreement: Interval;
  /** That they part there more than on the other classes by chance; corrected over the classes. */
  readonly pValue: number;
}

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

/** What the training records show by themselves. Informs; drops nothing. */
export interface PoisonDetail {
  readonly analyser: 'poison';
  readonly examined: number;
  /** Records of the data set: more than `examined` where a sample was looked at. */
  readonly of: number;
  /** Share of records whose label the others give them; below .9 the finding informs and is no alarm. */
  readonly judgeAccuracy: number;
  /** JSON array of {id, taint}, most probable first. */
  readonly list: ObjectRef | null;
  readonly count: number;
  readonly falseAlarmBudget: number;
  /** Least taint of a marked record. */
  readonly cut: number;
  /** Clean records among the marked, as the taints themselves expect. */
  readonly expectedFalse: number;
  readonly groups: readonly {
    kind: 'trigger' | 'relabelled';
    label: number;
    members: number;
    marked: number;
    /** `trigger`: share of other records that the group's pattern leads to the label, in the suspect and not by the rest of the data. */
    success: Interval | null;
    /** `relabelled`: squared distance from clear records of another class. */
    misfit: number | null;
    preview: TriggerPreview | null;
  }[];
  /** Batches with marked records; `amongOthers` as in TrainingRecordsDetail. */
  readonly byBatch: readonly { batch: string; source: string; records: number; marked: number; amongOthers: number }[];
  readonly classes: readonly string[];
}

/** Near duplicates by the data's own measure of distance. Informs; drops nothing. */
export interface DuplicatesDetail {
  readonly analyser: 'duplicates';
  readonly examined: number;
  /** Records of the data set: more than `examined` where a sample was looked at. */
  readonly of: number;
  /** Median Euclidean distance of a record to its tenth nearest. */
  readonly typical: number;
  /** Distance up to which two records count as one. */
  readonly radius: number;
  readonly pairs: number;
  /** Pairs that are the same to the last number. */
  readonly exact: number;
  /** Pairs under two labels. */
  readonly conflicting: number;
  /** JSON array of {first, second, distance, labels}, nearest first. */
  readonly list: ObjectRef | null;
  /** Batches that hold a duplicate. `amongOthers` as in TrainingRecordsDetail. */
  readonly byBatch: readonly {
    batch: string;
    source: string;
    records: number;
    duplicates: number;
    conflicting: number;
    amongOthers: number;
    burst: boolean;
  }[];
  readonly classes: readonly string[];
}

/** Captured requests that carry a trigger. Informs; refuses nothing. */
export interface RequestsDetail {
  readonly analyser: 'requests';
  readonly captured: number;
  readonly examined: number;
  /** Flagged by a method that flags more than chance gives. */
  readonly count: number;
  readonly answeredAs: readonly { label: number; count: number }[];
  readonly methods: readonly {
    /** `superposition`: mean entropy in nats, flagged below; `trigger`: fall of the target's probability, flagged above. */
    method: 'superposition' | 'trigger';
    threshold: number;
    flagged: number;
    /** The clean records that set the threshold. */
    clean: { flagged: number; n: number };
    /** Exact, against those, after Holm over the methods. */
    pValue: number;
  }[];
  readonly falseAlarmBudget: number;
  /** JSON array of {id, answered, methods}. */
  readonly list: ObjectRef | null;
  readonly classes: readonly string[];
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

/** What clients could rebuild from what they were answered in the captured window. Informs; accuses nobody. */
export interface ExtractionDetail {
  readonly analyser: 'extraction';
  /** Answered records of all clients. */
  readonly requests: number;
  readonly clients: number;
  readonly busiest: readonly {
    client: string;
    queries: number;
    share: number;
    /** Classes that its answers named. */
    classes: number;
    /** Share of clean records on which a copy trained on its answers agrees with the model; null where there are too few answers. */
    fidelity: Interval | null;
  }[];
  /** Clean records that the copies were measured on. */
  readonly holdout: number;
  readonly classes: readonly string[];
}

export interface TrainingRecordsDetail {
  readonly analyser: 'training-records';
  readonly examined: number;
  /** Ids of the records to drop: JSON array of strings, sorted by code point. */
  readonly list: ObjectRef | null;
  readonly count: number;
  /** `lazaret.record-taint/v1`: the probability of each record; absent in findings of earlier versions. */
  readonly taint?: ObjectRef | null;
  /** How many of the marked are clean, by these probabilities. */
  readonly expectedFalse?: number;
  /** Expected share of clean records that the threshold marks. */
  readonly falseAlarmBudget: number;
  readonly threshold: number;
  /** `pValue`: against the clean hold-out. `amongOthers`: against the other batches; which of them stands out. Both after Holm. */
  readonly byBatch: readonly {
    batch: string;
    source: string;
    records: number;
    tainted: number;
    pValue: number;
    amongOthers?: number;
  }[];
  /** The same over the batches of a source; absent in findings of earlier versions. */
  readonly bySource?: readonly {
    source: string;
    records: number;
    tainted: number;
    pValue: number;
    amongOthers: number;
  }[];
  /** Tainted records by [golden class][given label]. */
  readonly flow: readonly (readonly number[])[];
}

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
