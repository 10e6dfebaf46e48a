import { ApplicationFailure } from '@temporalio/workflow';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ValidationReport } from '../../domain/contracts/plan.ts';
import type { Validated } from '../../domain/incident/state.ts';
import { ANALYSIS, STORAGE } from '../../domain/incident/limits.ts';
import type { EndpointCapture } from '../../domain/incident/state.ts';
import type { IncidentCase } from '../case/incident-case.ts';
import { brief } from './contain.ts';
import { tryOnTrainer } from './try-on-trainer.ts';

/** Proves the candidate against the golden record and against the captured attack. Anything but "pass" stops here. */
export async function validate(
  incident: IncidentCase,
  candidate: ObjectRef,
  capture: EndpointCapture,
): Promise<Validated> {
  const { model } = brief(incident);
  const about = { incident: incident.incident, model, candidate };
  const { plan } = incident.ledger;
  const known = plan && 'trigger' in plan && plan.trigger ? { trigger: plan.trigger } : {};
  const drafted = await incident.act(
    { phase: 'validate', call: 'draftTrials', options: STORAGE },
    about,
    ({ reason, queue }) => reason || `the queue ${queue} is asked for attacks with gradients and for a backdoor`,
  );
  const [measured, tried] = await Promise.all([
    incident.act(
      { phase: 'validate', call: 'validateCandidate', options: ANALYSIS },
      { ...about, findings: incident.ledger.findings, capture: capture.preserved, ...known },
      ({ report }) => told(report),
    ),
    tryOnTrainer(drafted),
  ]);
  const validated = await incident.act(
    { phase: 'validate', call: 'concludeTrials', options: STORAGE },
    { model, report: measured.report, attack: tried.attack, examination: tried.examination },
    ({ report }) => told(report),
  );
  incident.ledger.validation = validated.report;
  if (validated.report.verdict !== 'pass') {
    const failing = validated.report.gates
      .filter((gate) => gate.verdict !== 'pass')
      .map((gate) => `${gate.title} (${gate.verdict}: ${gate.reason})`);
    throw ApplicationFailure.nonRetryable(`the candidate did not pass: ${failing.join('; ')}`, 'validation/failed');
  }
  return validated;
}

const told = ({ verdict, gates }: ValidationReport): string =>
  `${verdict}: ${gates.map((gate) => `${gate.id} ${gate.verdict}`).join(', ')}`;
