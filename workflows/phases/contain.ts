import { isCancellation } from '@temporalio/workflow';
import type { ContainInput, Containment } from '../../domain/contracts/activities.ts';
import { CONTAIN, STORAGE } from '../../domain/incident/limits.ts';
import type { EndpointBrief } from '../../domain/contracts/activities.ts';
import type { IncidentCase } from '../case/incident-case.ts';

/**
 * Capture and swap. The first try is a local activity: one round trip between the alert and the containment. If the endpoint does not
 * answer, the contained stance is published as the desired one (it comes up contained) and the capture is tried on durably.
 */
export async function contain(incident: IncidentCase): Promise<Containment> {
  const { ledger } = incident;
  const severity = ledger.triage?.severity ?? 'critical';
  return await containEndpoint(incident, ledger.endpoint, brief(incident).containment[severity], severity);
}

/** Contains one endpoint; the origin by `contain`, descendants by the investigation. */
export async function containEndpoint(
  incident: IncidentCase,
  endpoint: string,
  action: ContainInput['action'],
  because: string,
): Promise<Containment> {
  const input: ContainInput = {
    incident: incident.incident,
    endpoint,
    action,
    reason: `incident ${incident.incident}: ${because}`,
  };
  const { stances } = incident.ledger;
  stances.set(endpoint, 'unconfirmed');
  const containment = await firstTry(incident, input).catch(async (error: unknown) => {
    if (isCancellation(error)) throw error;
    incident.attributes.publish();
    await incident.act({ phase: 'contain', call: 'publishContainment', options: STORAGE }, input, ({ revision }) => {
      return `${endpoint} does not answer: it comes up contained by desired stance ${revision}`;
    });
    return await incident.act({ phase: 'contain', call: 'captureAndSwap', options: CONTAIN.durable }, input, describe);
  });
  stances.set(endpoint, containment.receipt.after.stance.kind);
  incident.attributes.publish({ stance: containment.receipt.after.stance.kind });
  incident.show();
  await publish(incident, endpoint, containment.order);
  return containment;
}

/**
 * For replicas that were away. Not on the way to containment: the endpoint holds its stance on its own disk already, and in a storm the next
 * endpoint is contained before this one's stance is published.
 */
async function publish(incident: IncidentCase, endpoint: string, order: string): Promise<void> {
  await incident.act(
    { phase: 'contain', call: 'publishStance', options: STORAGE },
    { endpoint, order },
    ({ revision }) => `desired stance of ${endpoint} is revision ${revision}`,
  );
}

function firstTry(incident: IncidentCase, input: ContainInput): Promise<Containment> {
  return incident.act(
    { phase: 'contain', call: 'captureAndSwap', options: CONTAIN.durable, local: CONTAIN.local },
    input,
    describe,
  );
}

function describe({ receipt }: Containment): string {
  const live = receipt.before.loaded.find((model) => model.role === 'live');
  const what = live ? `${live.version} (${live.digest.slice(0, 19)}…, signature ${live.signature.status})` : 'no model';
  return `${receipt.endpoint}: captured ${what} and ${receipt.window.requests} requests, ${receipt.before.stance.kind} → ${receipt.after.stance.kind}`;
}

export function brief(incident: IncidentCase): EndpointBrief {
  if (!incident.ledger.brief) throw new Error('triage comes first');
  return incident.ledger.brief;
}
