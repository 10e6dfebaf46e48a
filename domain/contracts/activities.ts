import type { ExplainJob, ExplainResult } from './activations.ts';
import type { ContainmentAction } from './configuration.ts';
import type { Alert } from './alert.ts';
import type { TrustRoot } from './approval.ts';
import type { CaseEntry, LogHead } from './case-log.ts';
import type { DatasetRef } from './dataset.ts';
import type { AnalyserName, Finding } from './finding.ts';
import type { ExamineJob, ExamineResult } from './examination.ts';
import type { RobustnessJob, RobustnessResult } from './robustness.ts';
import type { Counters, ForensicReceipt } from './gateway.ts';
import type { Evaluation } from './golden.ts';
import type { ObjectRef } from './object-ref.ts';
import type { GateVerdict, KnownTrigger, Plan, ReleaseSubject, ValidationReport } from './plan.ts';
import type { ModelRef, Stance } from './stance.ts';
import type { Hyperparameters, TrainJob, TrainResult } from './trainer.ts';
import type { IncidentKind, Sensitivity, Severity } from '../incident/kinds.ts';
import type { Digest } from '../proofs/digest.ts';

/**
 * The ports of the workflows: what a phase may ask of the world. Implemented in `activities/`, one file per phase, each
 * `createXActivities(deps)`. Every activity is idempotent: its effects are keyed by its input (incident, step, digests).
 */

// ---- triage (local activity)

export interface EndpointBrief {
  readonly endpoint: string;
  readonly model: string;
  readonly sensitivity: Sensitivity;
  readonly containment: Readonly<Record<Severity, ContainmentAction>>;
  readonly canary: {
    share: number;
    requests: number;
    maxErrorRate: number;
    maxConfidenceDrop: number;
    /** Absent in briefs of earlier versions. */
    maxLatencyRatio?: number;
    timeoutSeconds: number;
  };
  /** What serves the endpoint, where it is no gateway of ours: such a platform counts no answers by arm, so a canary could not be judged. */
  readonly uncounted?: string;
  readonly trust: TrustRoot;
}

export interface TriageActivities {
  /** Reads the worker's configuration. Fails with `endpoint/unknown`. */
  brief(input: { endpoint: string }): Promise<EndpointBrief>;
}

// ---- contain (local activity first, then a durable retry)

export interface ContainInput {
  readonly incident: string;
  readonly endpoint: string;
  /** `none` captures and freezes the endpoint as it is: it goes on answering, but only the incident may change it. */
  readonly action: ContainmentAction;
  readonly reason: string;
}

export interface Containment {
  readonly receipt: ForensicReceipt;
  /** The signed StanceOrder (compact JWS) that the endpoint obeyed. */
  readonly order: string;
}

export interface ContainActivities {
  /**
   * One round trip to the endpoint: capture what is there, take the safe stance. Isolates where no golden model can answer.
   * Touches neither S3 nor Temporal. Fails with `endpoint/unreachable` or `endpoint/refused`.
   */
  captureAndSwap(input: ContainInput): Promise<Containment>;
  /** The endpoint does not answer: writes the contained stance as its desired one, so that it comes up contained. */
  publishContainment(input: ContainInput): Promise<{ revision: number }>;
  /** Writes the order the endpoint obeyed as its desired stance in S3, for replicas that were away. Never replaces a newer one. */
  publishStance(input: { endpoint: string; order: string }): Promise<{ revision: number }>;
  /** Gives the endpoint any stance and publishes it; used by release, rollback, abort and resume. `incident: null` lifts the hold. */
  takeStance(input: {
    incident: string | null;
    endpoint: string;
    orderId: string;
    stance: Stance;
  }): Promise<Containment>;
}

// ---- preserve

export interface PreservedCapture {
  readonly endpoint: string;
  readonly receipt: ObjectRef;
  readonly window: ObjectRef;
  readonly model: ObjectRef | null;
  readonly signature: ObjectRef | null;
  readonly modelDigest: Digest | null;
  /** Provenance and data set manifest of the served model, as far as they are on record. */
  readonly lineage: readonly ObjectRef[];
}

export interface PreserveActivities {
  /** Moves everything the receipt points to into the evidence store under Object Lock. */
  preserveCapture(input: { incident: string; receipt: ForensicReceipt }): Promise<PreservedCapture>;
  /** Manifests, provenance and configuration as they are now. */
  preserveContext(input: {
    incident: string;
    endpoint: string;
    alerts: readonly Alert[];
  }): Promise<{ objects: readonly ObjectRef[] }>;
}

// ---- investigate

export interface AnalysisSubject {
  readonly incident: string;
  readonly endpoint: string;
  readonly model: string;
  readonly capture: PreservedCapture;
  readonly receipt: ForensicReceipt;
}

export interface Analysis {
  readonly finding: Finding;
  /** The finding as stored in evidence. */
  readonly record: ObjectRef;
}

export type DraftedExamination =
  | {
      readonly job: ExamineJob;
      readonly queue: string;
      /** Seconds that a trainer may take to begin; absent in incidents that are older than the setting. */
      readonly waitSeconds?: number;
    }
  | { readonly job: null; readonly reason: string };

export type DraftedExplanation =
  | { readonly job: ExplainJob; readonly queue: string; readonly waitSeconds: number }
  | { readonly job: null; readonly reason: string };

/** What came back from the trainer's queue, as it came; null with a reason where nothing did. */
export interface Examination {
  readonly result: unknown;
  readonly reason: string;
}

export interface InvestigateActivities {
  /** Runs one analyser; an exception inside it comes back as an inconclusive finding. */
  analyse(input: {
    analyser: AnalyserName;
    subject: AnalysisSubject;
    earlier: readonly Finding[];
    examination?: Examination;
  }): Promise<Analysis>;
  /** What a trainer is to examine; no job where something is missing for it, with the reason. */
  draftExamination(input: { subject: AnalysisSubject }): Promise<DraftedExamination>;
  /** What a trainer is to look for inside the model; no job where something is missing for it, with the reason. */
  draftExplanation(input: { subject: AnalysisSubject }): Promise<DraftedExplanation>;
}

// ---- plan

export interface PlanActivities {
  draftPlan(input: {
    subject: AnalysisSubject;
    findings: readonly Finding[];
    attempt: number;
  }): Promise<{ plan: Plan; record: ObjectRef }>;
}

// ---- eradicate

export interface SanitizedDataset {
  readonly dataset: DatasetRef;
  /** What changed, as evidence: JSON with dropped ids by batch, old and new manifest digest. */
  readonly diff: ObjectRef;
  readonly dropped: number;
  readonly kept: number;
}

export interface EradicateActivities {
  sanitizeDataset(input: {
    incident: string;
    dataset: DatasetRef;
    drop: { list: ObjectRef; count: number };
  }): Promise<SanitizedDataset>;
}

// ---- recover

/** The trainer's own activity, on the queue of `lazaret.yaml`. Name: `train`. */
export interface TrainerActivities {
  train(job: TrainJob): Promise<TrainResult>;
  /** Optional: a trainer without it leaves the question of the backdoor open. */
  examine(job: ExamineJob): Promise<ExamineResult>;
  /** Optional: a trainer without it leaves open what a repaired model withstands when its gradient is known. */
  attack(job: RobustnessJob): Promise<RobustnessResult>;
  /** Optional: a trainer without it leaves open what went on inside the model. */
  explain(job: ExplainJob): Promise<ExplainResult>;
}

export interface RecoverActivities {
  /** Writes the SLSA v1 provenance of a training run, signed, where `lineage` finds it by the artifact's digest. */
  recordProvenance(input: { job: TrainJob; result: TrainResult; builder: string }): Promise<{ provenance: ObjectRef }>;
}

// ---- validate

/** What a trainer is asked while the other gates are measured; null with a reason where there is nothing to ask. */
export interface DraftedTrials {
  readonly queue: string;
  readonly waitSeconds: number;
  readonly attack: RobustnessJob | null;
  readonly examine: ExamineJob | null;
  /** Why nothing is asked; empty where something is. */
  readonly reason: string;
}

export interface ValidateActivities {
  /** What of the candidate only a trainer can tell: attacks with gradients, and the search for a backdoor in it. */
  draftTrials(input: { incident: string; model: string; candidate: ObjectRef }): Promise<DraftedTrials>;
  /** The report with the gates that the trainer's answers are weighed in. */
  concludeTrials(input: {
    model: string;
    report: ValidationReport;
    attack: Examination;
    examination: Examination;
  }): Promise<{ report: ValidationReport; record: ObjectRef }>;
  validateCandidate(input: {
    incident: string;
    model: string;
    candidate: ObjectRef;
    findings: readonly Finding[];
    capture: PreservedCapture;
    /** The plan's: requests of the attack are told apart by it. Absent where the plan names none. */
    trigger?: KnownTrigger;
  }): Promise<{ report: ValidationReport; record: ObjectRef }>;
}

// ---- release

export interface CanaryFigures {
  readonly requests: number;
  readonly errors: number;
  readonly meanConfidence: number;
  readonly goldenMeanConfidence: number;
  readonly classMix: readonly number[];
  readonly counters: Counters;
}

export interface ReleaseActivities {
  /** Signs the artifact with the registry's key (OMS). Idempotent: the same artifact gives the bundle it already has. */
  signRelease(input: {
    incident: string;
    model: string;
    artifact: ObjectRef;
    subject: ReleaseSubject;
  }): Promise<{ ref: ModelRef }>;
  /** Evaluates, profiles and registers the model; it becomes the latest golden one by `promoteGolden`. */
  registerGolden(input: RegisterGoldenInput): Promise<RegisteredGolden>;
  /** Makes a registered version the one that shadows answer with and incidents retrain from. */
  promoteGolden(input: { model: string; version: string }): Promise<void>;
  /** Sends hold-out probes besides the live traffic and waits until the candidate has answered enough, or the time is over. Heartbeats. */
  observeCanary(input: { endpoint: string; requests: number; timeoutSeconds: number }): Promise<CanaryFigures>;
}

export interface RegisterGoldenInput {
  readonly model: string;
  readonly version: string;
  readonly artifact: ObjectRef;
  /** Present when the caller signed the artifact already; otherwise the registry signs it. */
  readonly signature: ObjectRef | null;
  readonly dataset: DatasetRef;
  readonly holdout: DatasetRef | null;
  readonly hyperparameters: Hyperparameters;
  readonly provenance: ObjectRef | null;
  readonly regressions: readonly ObjectRef[];
  readonly registeredBy: string;
}

export interface RegisteredGolden {
  readonly model: string;
  readonly version: string;
  readonly ref: ModelRef;
  /** Digest of the golden record's JWS. */
  readonly record: ObjectRef;
  readonly evaluation: Evaluation;
}

// ---- learn

export interface CaseFile {
  readonly incident: string;
  readonly endpoint: string;
  readonly kind: IncidentKind;
  readonly severity: Severity;
  readonly openedAt: string;
  readonly title: string;
  readonly alerts: readonly Alert[];
  readonly captures: readonly { receipt: ForensicReceipt; preserved: PreservedCapture }[];
  readonly findings: readonly Finding[];
  readonly plan: Plan | null;
  readonly sanitized: SanitizedDataset | null;
  readonly training: { job: TrainJob; result: TrainResult; provenance: ObjectRef } | null;
  readonly validation: ValidationReport | null;
  readonly release: {
    subject: ReleaseSubject;
    ref: ModelRef;
    canary: CanaryFigures | null;
    endpoints: readonly string[];
  } | null;
  readonly decisions: readonly DecisionRecord[];
  readonly verdict: GateVerdict | null;
  readonly entries: readonly CaseEntry[];
}

export interface DecisionRecord {
  readonly at: string;
  readonly gate: string;
  readonly digest: string;
  readonly person: string;
  readonly role: string;
  readonly decision: string;
  readonly reason: string;
  readonly statement: string;
}

export interface LearnActivities {
  /** Writes the post-mortem as Markdown and as one self-contained HTML page. */
  writeReport(input: CaseFile): Promise<{ markdown: ObjectRef; html: ObjectRef }>;
  /** Adds the captured attack to the model's regression suite. */
  addRegression(input: { incident: string; model: string; attack: ObjectRef }): Promise<{ regressions: number }>;
  /** Lets the endpoints drop the captures that are in evidence. */
  forgetCaptures(input: { receipts: readonly ForensicReceipt[] }): Promise<{ forgotten: number }>;
}

// ---- the case log

export interface CaseLogActivities {
  /** Writes the entries from `from` on (idempotent; a different entry at the same place is `evidence/diverged`). */
  appendLog(input: { incident: string; entries: readonly CaseEntry[] }): Promise<void>;
  /** Re-derives the root from S3, compares it with the workflow's, signs a checkpoint (C2SP signed note) and writes it. */
  signCheckpoint(input: { incident: string; head: LogHead }): Promise<{ checkpoint: ObjectRef }>;
  /** Tells people that the incident waits for them (log line and notification file; more doors in later issues). */
  notify(input: { incident: string; endpoint: string; subject: string; body: string }): Promise<void>;
}

export type ResponseActivities = TriageActivities &
  ContainActivities &
  PreserveActivities &
  InvestigateActivities &
  PlanActivities &
  EradicateActivities &
  RecoverActivities &
  ValidateActivities &
  ReleaseActivities &
  LearnActivities &
  CaseLogActivities;

/**
 * What an activity's answer looks like on the wire: the value, and when the worker had it. The case log takes its times from here, because
 * workflow time is not the same on replay where the SDK merges workflow tasks that issued no command.
 */
export interface Stamped<T> {
  readonly value: T;
  /** RFC 3339, UTC, by the worker's clock. */
  readonly at: string;
}

export type OnTheWire<Ports> = {
  [Name in keyof Ports]: Ports[Name] extends (input: infer Input) => Promise<infer Output>
    ? (input: Input) => Promise<Stamped<Output>>
    : never;
};
