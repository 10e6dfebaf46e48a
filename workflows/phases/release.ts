import { ApplicationFailure } from '@temporalio/workflow';
import type { CanaryFigures } from '../../domain/contracts/activities.ts';
import type { RetrainResult } from '../../domain/contracts/messages.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { Plan, ReleaseSubject } from '../../domain/contracts/plan.ts';
import type { ModelRef, Stance } from '../../domain/contracts/stance.ts';
import { judgeCanary } from '../../domain/incident/canary.ts';
import { ANALYSIS, CANARY_HEARTBEAT_TIMEOUT, CONTAIN, STORAGE } from '../../domain/incident/limits.ts';
import type { Released } from '../../domain/incident/state.ts';
import type { IncidentCase } from '../case/incident-case.ts';
import { brief } from './contain.ts';

/** Sign, register, canary on the origin, then promote everywhere this incident holds the model, or roll back. */
export async function release(
  incident: IncidentCase,
  plan: Plan,
  subject: ReleaseSubject,
  artifact: ObjectRef,
  trained: RetrainResult | null,
): Promise<Released> {
  const ref = await signedCandidate(incident, plan, subject, artifact);
  if (trained && 'dataset' in plan) await register(incident, plan, ref, trained);
  const canary = plan.action === 'resume' ? null : await runCanary(incident, plan, ref);
  const endpoints = await promote(incident, plan, ref);
  if (trained) {
    await incident.act(
      { phase: 'release', call: 'promoteGolden', options: STORAGE },
      { model: plan.model, version: ref.version },
      () => {
        return `${plan.model} ${ref.version} is the golden model now`;
      },
    );
  }
  const released: Released = { subject, ref, provenance: trained?.provenance ?? null, canary, endpoints };
  incident.ledger.release = released;
  return released;
}

async function signedCandidate(
  incident: IncidentCase,
  plan: Plan,
  subject: ReleaseSubject,
  artifact: ObjectRef,
): Promise<ModelRef> {
  if (plan.action === 'resume') return plan.previous;
  if (plan.action === 'restore') return plan.checkpoint;
  const { ref } = await incident.act(
    { phase: 'release', call: 'signRelease', options: STORAGE },
    { incident: incident.incident, model: plan.model, artifact, subject },
    (signed) => `signed ${signed.ref.version} with the registry's key`,
  );
  return ref;
}

async function register(
  incident: IncidentCase,
  plan: Plan & { action: 'retrain' | 'unlearn' },
  ref: ModelRef,
  trained: RetrainResult,
): Promise<void> {
  const dataset = incident.ledger.sanitized?.dataset ?? plan.dataset;
  await incident.act(
    { phase: 'release', call: 'registerGolden', options: ANALYSIS },
    {
      model: plan.model,
      version: ref.version,
      artifact: ref.artifact,
      signature: ref.signature,
      dataset,
      holdout: null,
      hyperparameters: plan.hyperparameters,
      provenance: trained.provenance,
      regressions: [],
      registeredBy: `incident ${incident.incident}`,
    },
    (golden) => `registered ${golden.version}: accuracy ${(100 * golden.evaluation.accuracy.value).toFixed(2)} %`,
  );
}

/** While the canary runs, the golden model answers the rest: the suspect never answers again. */
async function runCanary(incident: IncidentCase, plan: Plan, candidate: ModelRef): Promise<CanaryFigures | null> {
  const { canary, uncounted } = brief(incident);
  if (uncounted !== undefined) {
    incident.note('release', 'canary', 'done', `no canary: ${uncounted} does not count which model answered`);
    return null;
  }
  const endpoint = incident.ledger.endpoint;
  await take(
    incident,
    endpoint,
    { kind: 'canary', model: plan.checkpoint, candidate, share: canary.share },
    incident.incident,
    'canary',
  );
  const figures = await incident.act(
    {
      phase: 'release',
      call: 'observeCanary',
      options: {
        startToCloseTimeout: (canary.timeoutSeconds + 60) * 1000,
        heartbeatTimeout: CANARY_HEARTBEAT_TIMEOUT,
        retry: { maximumAttempts: 5 },
      },
    },
    { endpoint, requests: canary.requests, timeoutSeconds: canary.timeoutSeconds },
    (seen) =>
      `${seen.requests} canary answers, ${seen.errors} errors, mean confidence ${seen.meanConfidence.toFixed(3)} (golden ${seen.goldenMeanConfidence.toFixed(3)})`,
  );
  const verdict = judgeCanary(figures, canary);
  if (verdict.verdict === 'roll-back') {
    await returnToContainment(incident);
    throw ApplicationFailure.nonRetryable(verdict.because, 'release/rolled-back');
  }
  incident.note('release', 'canary', 'done', 'promoted: the canary stayed within the golden profile');
  return figures;
}

async function promote(incident: IncidentCase, plan: Plan, ref: ModelRef): Promise<readonly string[]> {
  const standby = plan.action === 'resume' ? plan.checkpoint : null;
  const endpoints = incident.ledger.captures.map((capture) => capture.endpoint);
  for (const endpoint of endpoints) {
    await take(incident, endpoint, { kind: 'serving', model: ref, standby }, null, 'promote');
  }
  return endpoints;
}

/** Puts every endpoint that is not contained back into the stance it was contained in. */
export async function returnToContainment(incident: IncidentCase): Promise<void> {
  for (const { endpoint, receipt } of incident.ledger.captures) {
    if (!incident.ledger.moved.has(endpoint)) continue;
    await take(incident, endpoint, receipt.after.stance, incident.incident, 'contain again');
    incident.ledger.moved.delete(endpoint);
  }
}

async function take(
  incident: IncidentCase,
  endpoint: string,
  stance: Stance,
  hold: string | null,
  step: string,
): Promise<void> {
  const attempt = incident.recorder.head.size;
  // Until it is confirmed: a step that fails after the endpoint obeyed MUST NOT leave the old stance believed, or nobody would take it back.
  incident.ledger.stances.set(endpoint, 'unconfirmed');
  incident.ledger.moved.add(endpoint);
  await incident.act(
    { phase: 'release', call: 'takeStance', options: CONTAIN.durable },
    { incident: hold, endpoint, orderId: `${incident.incident}/${step}/${endpoint}/${attempt}`, stance },
    ({ receipt }) => `${endpoint}: ${receipt.before.stance.kind} → ${receipt.after.stance.kind}`,
  );
  incident.ledger.stances.set(endpoint, stance.kind);
  incident.attributes.publish({ stance: stance.kind });
  incident.show();
}
