import type { Alert } from './alert.ts';
import type { CaseEntry } from './case-log.ts';
import type { IncidentState } from '../incident/state.ts';
import type { ObjectRef } from './object-ref.ts';
import type { RegisterGoldenInput, RegisteredGolden } from './activities.ts';
import type { TrainJob, TrainResult } from './trainer.ts';

/** Names and types of everything that is sent to a workflow, declared once for the client and the workflow. */
export const RESPONSE_QUEUE = 'response';
export const TRAIN_ACTIVITY = 'train';

export const INCIDENT_WORKFLOW = 'incident';
export const RETRAIN_WORKFLOW = 'retrain';
export const REGISTER_GOLDEN_WORKFLOW = 'registerGoldenModel';

export const ALERT_SIGNAL = 'alert';
export const DECIDE_UPDATE = 'decide';
export const STATE_QUERY = 'state';
export const ENTRIES_QUERY = 'entries';

/** `incident(input)`: started by signal-with-start, so the first alert arrives as a signal like all others. */
export interface IncidentInput {
  readonly endpoint: string;
}

export interface IncidentResult {
  readonly incident: string;
  readonly outcome: string;
  readonly report: { markdown: ObjectRef; html: ObjectRef } | null;
  readonly checkpoint: ObjectRef | null;
  readonly log: { size: number; root: string };
}

/** `retrain(input)`: the trainer's activity with its retries, then provenance. Also what a pipeline runs. */
export interface RetrainInput {
  readonly job: TrainJob;
  readonly queue: string;
  /** Who runs it, for the provenance, e.g. `lazaret` or `pipeline`. */
  readonly builder: string;
}

export interface RetrainResult {
  readonly result: TrainResult;
  readonly provenance: ObjectRef;
}

/** `decide(statement)`: a compact JWS of an ApprovalStatement, one text, by whichever door it came in. */
export interface DecideResult {
  readonly accepted: true;
  readonly gate: string;
  readonly person: string;
  /** How many more approvals the gate waits for; 0 when it is settled. */
  readonly remaining: number;
}

export type AlertSignal = [Alert];
export type DecideUpdate = [string];
export type StateQuery = IncidentState;
/** Entries of the case log from a sequence number on. */
export type EntriesQuery = { entries: readonly CaseEntry[] };
export type RegisterGolden = { input: RegisterGoldenInput; result: RegisteredGolden };

/** One open incident per endpoint: alerts of every kind on it join (the blueprint's group). */
export function incidentWorkflowId(endpoint: string): string {
  return `incident:${endpoint}`;
}

/** `<endpoint>-<first 8 hex digits of the run id>`: unique per occurrence, while the workflow id is unique per open incident. */
export function incidentIdOf(endpoint: string, firstRunId: string): string {
  return `${endpoint}-${firstRunId.replaceAll('-', '').slice(0, 8)}`;
}
