import type { Alert } from '../contracts/alert.ts';
import type {
  CanaryFigures,
  DecisionRecord,
  EndpointBrief,
  PreservedCapture,
  SanitizedDataset,
} from '../contracts/activities.ts';
import type { Finding } from '../contracts/finding.ts';
import type { ForensicReceipt } from '../contracts/gateway.ts';
import type { ObjectRef } from '../contracts/object-ref.ts';
import type { Plan, ReleaseSubject, ValidationReport } from '../contracts/plan.ts';
import type { ModelRef, Stance } from '../contracts/stance.ts';
import type { TrainJob, TrainProgress, TrainResult } from '../contracts/trainer.ts';
import type { LogHead } from '../contracts/case-log.ts';
import type { FailureCode } from './failures.ts';
import type { IncidentKind, Outcome, Phase, Severity, Stage } from './kinds.ts';

/** What is known after each phase. Each adds to the one before; nothing is optional "from then on". */
export interface Opened {
  readonly phase: 'opened';
  readonly alerts: readonly Alert[];
}
export interface Triaged {
  readonly kind: IncidentKind;
  readonly stage: Stage;
  readonly severity: Severity;
  /** Every rule that spoke, with the severity it asked for. */
  readonly reasons: readonly string[];
  readonly brief: EndpointBrief;
}
export interface Contained {
  readonly captures: readonly EndpointCapture[];
}
export interface EndpointCapture {
  readonly endpoint: string;
  readonly receipt: ForensicReceipt;
  readonly preserved: PreservedCapture;
}
export interface Repaired {
  readonly sanitized: SanitizedDataset;
  readonly job: TrainJob;
  readonly result: TrainResult;
  readonly provenance: ObjectRef;
}
export interface Validated {
  readonly report: ValidationReport;
  readonly record: ObjectRef;
}
export interface Released {
  readonly subject: ReleaseSubject;
  readonly ref: ModelRef;
  /** Of the incident's own training run; null where it trained nothing. */
  readonly provenance: ObjectRef | null;
  readonly canary: CanaryFigures | null;
  readonly endpoints: readonly string[];
}

/** What the incident waits for, if anything. */
export type Waiting =
  | { readonly for: 'nothing' }
  | { readonly for: 'trainer'; readonly since: string; readonly queue: string }
  | {
      readonly for: 'approval';
      readonly gate: 'plan' | 'release';
      readonly digest: string;
      readonly since: string;
      /** Roles still missing: one inner list per person. */
      readonly missing: readonly (readonly string[])[];
      readonly summary: string;
    }
  | {
      readonly for: 'command';
      readonly gate: `failed:${Phase}`;
      readonly digest: string;
      readonly since: string;
      readonly failure: { code: FailureCode; message: string };
      readonly options: readonly ('retry' | 'skip' | 'abort')[];
    };

/** The answer to the `state` query, and what the console shows. Tagged by `status`. */
export interface IncidentFacts {
  readonly incident: string;
  readonly endpoint: string;
  readonly openedAt: string;
  readonly alerts: { count: number; firing: number; first: Alert };
  readonly phase: Phase;
  readonly severity: Severity;
  readonly kind: IncidentKind;
  readonly stage: Stage;
  readonly reasons: readonly string[];
  /** Stance per endpoint this incident holds, as last confirmed. */
  readonly stances: Readonly<Record<string, Stance['kind'] | 'unconfirmed'>>;
  readonly findings: readonly Finding[];
  readonly plan: Plan | null;
  readonly sanitized: SanitizedDataset | null;
  readonly training: { progress: TrainProgress | null; result: TrainResult | null };
  readonly validation: ValidationReport | null;
  readonly release: Released | null;
  readonly decisions: readonly DecisionRecord[];
  readonly log: LogHead;
  /** The newest point of the log that a signed checkpoint covers: what can be exported and proved. Null before the first. */
  readonly checkpointed: LogHead | null;
}
export type IncidentState =
  | (IncidentFacts & { readonly status: 'running'; readonly waiting: Waiting })
  | (IncidentFacts & {
      readonly status: 'closed';
      readonly outcome: Outcome;
      readonly closedAt: string;
      readonly report: { markdown: ObjectRef; html: ObjectRef } | null;
      readonly checkpoint: ObjectRef | null;
    });
