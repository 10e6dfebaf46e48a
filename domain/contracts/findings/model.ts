/** What the analysers of the model itself found: who vouches for it, where it comes from, its graph and its weights. */

import type { Digest } from '../../proofs/digest.ts';

export interface SignatureDetail {
  readonly analyser: 'signature';
  readonly served: Digest;
  readonly golden: Digest;
  readonly signedBy: string | null;
  readonly reason: string | null;
}

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
