/** What the analysers of the training records found. */

import type { Interval } from '../interval.ts';
import type { ObjectRef } from '../object-ref.ts';
import type { TriggerPreview } from './backdoor.ts';

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
