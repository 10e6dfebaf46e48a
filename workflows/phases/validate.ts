import { ApplicationFailure } from '@temporalio/workflow';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { Validated } from '../../domain/incident/state.ts';
import { ANALYSIS } from '../../domain/incident/limits.ts';
import type { EndpointCapture } from '../../domain/incident/state.ts';
import type { IncidentCase } from '../case/incident-case.ts';
import { brief } from './contain.ts';

/** Proves the candidate against the golden record and against the captured attack. Anything but "pass" stops here. */
export async function validate(
  incident: IncidentCase,
  candidate: ObjectRef,
  capture: EndpointCapture,
): Promise<Validated> {
  const validated = await incident.act(
    { phase: 'validate', call: 'validateCandidate', options: ANALYSIS },
    {
      incident: incident.incident,
      model: brief(incident).model,
      candidate,
      findings: incident.ledger.findings,
      capture: capture.preserved,
    },
    ({ report }) => `${report.verdict}: ${report.gates.map((gate) => `${gate.id} ${gate.verdict}`).join(', ')}`,
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
