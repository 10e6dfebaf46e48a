import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ReleaseSubject } from '../../domain/contracts/plan.ts';
import type { Validated } from '../../domain/incident/state.ts';
import type { IncidentCase } from '../case/incident-case.ts';

/** Two people in two roles sign the digest of artifact, validation report and evidence root together. */
export async function approveRelease(
  incident: IncidentCase,
  artifact: ObjectRef,
  validated: Validated,
): Promise<ReleaseSubject> {
  const { head, ref } = await incident.checkpoint();
  const subject: ReleaseSubject = {
    schema: 'lazaret.release/v1',
    incident: incident.incident,
    artifact: artifact.digest,
    validation: validated.record.digest,
    evidenceRoot: head.root,
    evidenceSize: head.size,
  };
  incident.note(
    'approve-release',
    'checkpoint',
    'done',
    `the release binds the evidence root over ${head.size} entries`,
    ref,
  );
  const passed = validated.report.gates.length;
  const digest = await incident.gates.approval(
    'release',
    subject,
    `release ${artifact.name} (${artifact.digest.slice(0, 19)}…): ${passed} of ${passed} gates passed, evidence root ${head.root.slice(0, 12)}… over ${head.size} entries`,
  );
  incident.note('approve-release', 'release subject', 'done', `approved ${digest}: ${JSON.stringify(subject)}`);
  return subject;
}
