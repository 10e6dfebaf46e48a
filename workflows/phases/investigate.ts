import { isCancellation } from '@temporalio/workflow';
import type { AnalysisSubject, Examination } from '../../domain/contracts/activities.ts';
import type { AnalyserName, Finding } from '../../domain/contracts/finding.ts';
import { ANALYSIS } from '../../domain/incident/limits.ts';
import { descendants, wavesFor } from '../../domain/incident/playbooks.ts';
import type { EndpointCapture } from '../../domain/incident/state.ts';
import { failureOf } from '../case/failure-of.ts';
import type { IncidentCase } from '../case/incident-case.ts';
import { brief, containEndpoint } from './contain.ts';
import { examineOnTrainer } from './examine-on-trainer.ts';
import { explainOnTrainer } from './explain-on-trainer.ts';
import { preserveCapture } from './preserve.ts';

/** Asks every analyser, wave by wave, then contains every endpoint that descends from what was found. */
export async function investigate(incident: IncidentCase, capture: EndpointCapture): Promise<AnalysisSubject> {
  const subject: AnalysisSubject = {
    incident: incident.incident,
    endpoint: capture.endpoint,
    model: brief(incident).model,
    capture: capture.preserved,
    receipt: capture.receipt,
  };
  incident.ledger.findings = [];
  const onTrainer = askTrainer(incident, subject);
  for (const wave of wavesFor(incident.ledger.triage?.kind ?? 'unknown')) {
    const earlier = incident.ledger.findings;
    const found = await Promise.all(
      wave.map(async (analyser) => {
        return await ask(incident, analyser, subject, earlier, await onTrainer(analyser));
      }),
    );
    incident.ledger.findings = [...earlier, ...found];
    incident.show();
  }
  await containDescendants(incident);
  return subject;
}

/** Both questions to the trainer begin with the first wave: neither waits for the other, nor twice for a trainer that is not there. */
function askTrainer(
  incident: IncidentCase,
  subject: AnalysisSubject,
): (analyser: AnalyserName) => Promise<Examination | undefined> {
  const backdoor = examineOnTrainer(incident, subject);
  const activations = explainOnTrainer(incident, subject, backdoor);
  // Nobody awaits them yet: what goes wrong meanwhile is met where they are awaited.
  for (const asked of [backdoor, activations]) asked.catch(() => undefined);
  return async (analyser) => {
    if (analyser === 'activations') return await activations;
    if (analyser !== 'backdoor') return undefined;
    const { result, reason } = await backdoor;
    return { result, reason };
  };
}

async function ask(
  incident: IncidentCase,
  analyser: AnalyserName,
  subject: AnalysisSubject,
  earlier: readonly Finding[],
  examination: Examination | undefined,
): Promise<Finding> {
  try {
    const { finding } = await incident.act(
      { phase: 'investigate', call: 'analyse', options: ANALYSIS },
      { analyser, subject, earlier, ...(examination && { examination }) },
      (analysis) => `${analyser}: ${analysis.finding.verdict}. ${analysis.finding.summary}`,
    );
    return finding;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = failureOf(error);
    // What could not be read for a storage fault may be read later: the phase waits for a person, nothing is concluded from it.
    if (failure.code.startsWith('storage/')) throw error;
    return {
      analyser,
      question: `What does ${analyser} say?`,
      verdict: 'inconclusive',
      confidence: null,
      summary: `The analyser did not end: ${failure.message}`,
      detail: null,
      failure: { code: 'analysis/timeout', message: failure.message },
    };
  }
}

async function containDescendants(incident: IncidentCase): Promise<void> {
  const { ledger } = incident;
  const severity = ledger.triage?.severity ?? 'critical';
  const held = new Set(ledger.captures.map((capture) => capture.endpoint));
  const found = descendants(ledger.findings, ledger.endpoint).filter((endpoint) => !held.has(endpoint));
  incident.note(
    'investigate',
    'blast radius',
    'noted',
    found.length > 0 ? `also descends: ${found.join(', ')}` : 'no other endpoint descends from it',
  );
  for (const endpoint of found) {
    const { containment } = await incident.act(
      {
        phase: 'contain',
        call: 'brief',
        options: { startToCloseTimeout: '3 seconds' },
        local: { startToCloseTimeout: '3 seconds' },
      },
      { endpoint },
      () => `${endpoint} descends from the tainted data`,
    );
    // A descendant is never left answering: its own policy may say "none" for an alert, not for a finding.
    const action = containment[severity] === 'none' ? 'isolate' : containment[severity];
    const held = await containEndpoint(incident, endpoint, action, 'its model descends from tainted data');
    await preserveCapture(incident, held);
  }
}
