import { isCancellation } from '@temporalio/workflow';
import type { CaseFile } from '../../domain/contracts/activities.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { ANALYSIS, STORAGE, TIDYING } from '../../domain/incident/limits.ts';
import type { IncidentCase } from '../case/incident-case.ts';

export interface Learned {
  /** null when a person skipped the report. */
  readonly report: { markdown: ObjectRef; html: ObjectRef } | null;
}

/** The captured attack joins the regression suite, and the post-mortem is written from the log. */
export async function learn(incident: IncidentCase): Promise<Learned> {
  const { ledger } = incident;
  const behaviour = ledger.findings.find((finding) => finding.detail?.analyser === 'behaviour')?.detail;
  if (ledger.release && ledger.brief && behaviour?.analyser === 'behaviour' && behaviour.attack) {
    await incident.act(
      { phase: 'learn', call: 'addRegression', options: STORAGE },
      { incident: incident.incident, model: ledger.brief.model, attack: behaviour.attack.requests },
      ({ regressions }) => `the captured attack is number ${regressions} of the model's regression suite`,
    );
  }
  const report = await incident.act(
    { phase: 'learn', call: 'writeReport', options: ANALYSIS },
    caseFileOf(incident),
    () => 'post-mortem written as Markdown and HTML',
  );
  return { report };
}

/** The captures are under Object Lock by now. An endpoint that is away keeps its copy: that is noted, and nobody has to decide about it. */
export async function letGoOfCaptures(incident: IncidentCase): Promise<void> {
  const receipts = incident.ledger.captures.map((capture) => capture.receipt);
  if (receipts.length === 0) return;
  await incident
    .act(
      { phase: 'learn', call: 'forgetCaptures', options: TIDYING },
      { receipts },
      ({ forgotten }) => `${forgotten} captures are in evidence and were removed from the endpoints`,
    )
    .catch((error: unknown) => {
      if (isCancellation(error)) throw error;
    });
}

function caseFileOf(incident: IncidentCase): CaseFile {
  const { ledger } = incident;
  return {
    incident: incident.incident,
    endpoint: ledger.endpoint,
    kind: ledger.triage?.kind ?? 'unknown',
    severity: ledger.triage?.severity ?? 'medium',
    openedAt: ledger.openedAt,
    title: ledger.alerts[0]?.title ?? '',
    alerts: ledger.alerts,
    captures: ledger.captures,
    findings: ledger.findings,
    plan: ledger.plan,
    sanitized: ledger.sanitized,
    training: ledger.training,
    validation: ledger.validation,
    release: ledger.release,
    decisions: ledger.decisions,
    verdict: ledger.validation?.verdict ?? null,
    entries: incident.recorder.entries,
  };
}
