import type { Digest } from '../proofs/digest.ts';
import type { Phase } from '../incident/kinds.ts';

/**
 * One entry of an incident's case log; its canonical JSON (RFC 8785) is the leaf of the Merkle log (RFC 6962) and the bytes of
 * `cases/<incident>/log/<seq, 8 digits>.json`. The workflow makes the entry, holds the frontier, and hands the entry to be written.
 */
export interface CaseEntry {
  readonly schema: 'lazaret.case-entry/v1';
  readonly incident: string;
  readonly seq: number;
  /** RFC 3339 in UTC, from what history holds: a worker's stamp, an alert's receipt, a statement's issue. Never workflow time (see CaseRecorder). */
  readonly at: string;
  readonly phase: Phase | 'incident';
  readonly step: string;
  /** `lazaret`, or the person who decided. */
  readonly actor: string;
  /** Digests of what the step read and of what it made; each names an object of the evidence or artifact store. */
  readonly inputs: readonly Digest[];
  readonly outputs: readonly Digest[];
  readonly verdict: 'done' | 'failed' | 'refused' | 'skipped' | 'approved' | 'rejected' | 'noted';
  readonly summary: string;
  /** The signed statement of a decision, as it came. */
  readonly statement: string | null;
}

/** A point of the log that the station signs (C2SP signed note, `lazaret/<incident>` as origin). */
export interface LogHead {
  readonly size: number;
  /** Lowercase hex of the RFC 6962 root. */
  readonly root: string;
}
