import { MAX_ALERT_BODY, type Alert } from '../../domain/contracts/alert.ts';
import { endpointsOf, type Directory } from '../../domain/incident/alert-mapping.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import type { Claim } from './source.ts';

const MAX_ID = 256;
const MAX_LABELS = 64;

export interface MappedAlerts {
  readonly alerts: readonly Alert[];
  /** What the claims that mean nothing declared say, for the sender to mend. */
  readonly unknown: readonly string[];
}

/** One alert per claim and endpoint it is about. Texts are cut to what the contract holds: an alert must not be lost for its length. */
export function alertsOf(
  source: Alert['source'],
  claims: readonly Claim[],
  directory: Directory,
  receivedAt: Date,
): MappedAlerts {
  const unknown: string[] = [];
  const alerts = claims.flatMap((claim) => {
    const endpoints = endpointsOf(claim.about, directory);
    if (endpoints.length === 0) unknown.push(namedBy(claim));
    const body = claim.body.slice(0, MAX_ALERT_BODY);
    return endpoints.map((endpoint): Alert => ({
      source,
      deliveryId: idOf(endpoints.length > 1 ? `${claim.id}:${endpoint}` : claim.id),
      endpoint,
      kind: claim.kind,
      status: claim.status,
      claimedSeverity: claim.severity,
      title: claim.title.slice(0, 500) || `an alert of ${source} without a title`,
      labels: cut(claim.labels),
      startsAt: claim.startsAt,
      receivedAt: receivedAt.toISOString(),
      body,
      bodyDigest: digestOf(body),
    }));
  });
  return { alerts, unknown };
}

/** A longer id is told by its digest. */
function idOf(id: string): string {
  return id.length > 0 && id.length <= MAX_ID ? id : digestOf(id);
}

function cut(labels: Readonly<Record<string, string>>): Record<string, string> {
  const rows = Object.entries(labels).filter(([key, value]) => key.length <= 200 && value !== '');
  return Object.fromEntries(rows.slice(0, MAX_LABELS).map(([key, value]) => [key, value.slice(0, 2000)]));
}

function namedBy({ about }: Claim): string {
  return (about.endpoint ?? about.model ?? about.names?.join(', ') ?? '').slice(0, 100) || '(no name of an endpoint)';
}
