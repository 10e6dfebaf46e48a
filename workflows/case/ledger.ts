import type { Alert } from '../../domain/contracts/alert.ts';
import type { DecisionRecord, EndpointBrief, SanitizedDataset } from '../../domain/contracts/activities.ts';
import type { LogHead } from '../../domain/contracts/case-log.ts';
import type { Finding } from '../../domain/contracts/finding.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { Plan, ValidationReport } from '../../domain/contracts/plan.ts';
import type { Stance } from '../../domain/contracts/stance.ts';
import type { TrainJob, TrainResult } from '../../domain/contracts/trainer.ts';
import type { EndpointCapture, IncidentState, Released, Waiting } from '../../domain/incident/state.ts';
import type { Outcome, Phase, Severity } from '../../domain/incident/kinds.ts';
import type { Triage } from '../../domain/incident/triage.ts';

export interface Closing {
  readonly outcome: Outcome;
  readonly closedAt: string;
  readonly report: { markdown: ObjectRef; html: ObjectRef } | null;
  readonly checkpoint: ObjectRef | null;
}

/** What is known of an incident, filled in by the phases in turn. The facts that queries, pages and the report show are drawn from here. */
export class Ledger {
  readonly incident: string;
  readonly endpoint: string;
  readonly openedAt = new Date().toISOString();
  readonly alerts: Alert[] = [];
  alertCount = 0;
  firingCount = 0;
  phase: Phase = 'triage';
  waiting: Waiting = { for: 'nothing' };
  triage: Triage | null = null;
  brief: EndpointBrief | null = null;
  /** How often people have set the severity. */
  reassessments = 0;
  readonly stances = new Map<string, Stance['kind'] | 'unconfirmed'>();
  readonly captures: EndpointCapture[] = [];
  findings: readonly Finding[] = [];
  plan: Plan | null = null;
  /** How many plans were drawn up. */
  drafts = 0;
  /** Endpoints that the release has moved out of the stance they were contained in. */
  readonly moved = new Set<string>();
  /** The queue that no trainer serves, once the retraining has said so. */
  trainerAbsent: string | null = null;
  sanitized: SanitizedDataset | null = null;
  training: { job: TrainJob; result: TrainResult; provenance: ObjectRef } | null = null;
  validation: ValidationReport | null = null;
  release: Released | null = null;
  /** The newest point of the log that the station has signed. */
  checkpointed: LogHead | null = null;
  readonly decisions: DecisionRecord[] = [];
  closing: Closing | null = null;

  constructor(incident: string, endpoint: string) {
    this.incident = incident;
    this.endpoint = endpoint;
  }

  /** A person's word replaces the rules' severity; what the rules said stays among the reasons. */
  reassess(severity: Severity, because: string): void {
    if (!this.triage) throw new Error('severity was set before the triage');
    this.triage = { ...this.triage, severity, reasons: [...this.triage.reasons, because] };
    this.reassessments += 1;
  }

  state(log: LogHead): IncidentState {
    const first = this.alerts[0];
    if (!first) throw new Error('an incident has at least one alert');
    const facts = {
      incident: this.incident,
      endpoint: this.endpoint,
      openedAt: this.openedAt,
      alerts: { count: this.alertCount, firing: this.firingCount, first },
      phase: this.phase,
      severity: this.triage?.severity ?? 'medium',
      kind: this.triage?.kind ?? first.kind,
      stage: this.triage?.stage ?? 'unknown',
      reasons: this.triage?.reasons ?? [],
      stances: Object.fromEntries(this.stances),
      findings: this.findings,
      plan: this.plan,
      sanitized: this.sanitized,
      training: { progress: null, result: this.training?.result ?? null },
      validation: this.validation,
      release: this.release,
      decisions: this.decisions,
      log,
      checkpointed: this.checkpointed,
    } as const;
    return this.closing
      ? { ...facts, status: 'closed', ...this.closing }
      : { ...facts, status: 'running', waiting: this.waiting };
  }
}
