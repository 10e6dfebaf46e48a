import type { Containment } from '../../domain/contracts/activities.ts';
import { STORAGE } from '../../domain/incident/limits.ts';
import type { EndpointCapture } from '../../domain/incident/state.ts';
import type { IncidentCase } from '../case/incident-case.ts';

/** Everything the receipt points to goes under Object Lock, and the context as it is now. */
export async function preserve(incident: IncidentCase, containment: Containment): Promise<EndpointCapture> {
  const capture = await preserveCapture(incident, containment);
  await incident.act(
    { phase: 'preserve', call: 'preserveContext', options: STORAGE },
    { incident: incident.incident, endpoint: incident.ledger.endpoint, alerts: incident.ledger.alerts },
    ({ objects }) => `${objects.length} context objects: ${objects.map((object) => object.name).join(', ')}`,
  );
  return capture;
}

export async function preserveCapture(incident: IncidentCase, containment: Containment): Promise<EndpointCapture> {
  const { receipt } = containment;
  const preserved = await incident.act(
    { phase: 'preserve', call: 'preserveCapture', options: STORAGE },
    { incident: incident.incident, receipt },
    (kept) =>
      `${receipt.endpoint}: receipt, ${receipt.window.requests} requests${kept.model ? ' and the model' : ''} under Object Lock`,
  );
  const capture = { endpoint: receipt.endpoint, receipt, preserved };
  incident.ledger.captures.push(capture);
  return capture;
}
