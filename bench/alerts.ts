import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RunningStation } from '../station/describe.ts';
import type { Caller } from './http.ts';

export interface Accepted {
  readonly incident: string;
  /** When the last byte to send was handed over, and when 202 was here; on the clock of `performance.now()`. */
  readonly sentAt: number;
  readonly acceptedAt: number;
  /** How often the station said "not now" (503) before. */
  readonly retries: number;
}

const acceptedSchema = z.object({
  incidents: z.array(z.object({ incident: z.string(), endpoint: z.string(), duplicate: z.boolean() })).length(1),
});
/** Alertmanager repeats what was answered with 5xx; so does this. */
const TRIES = 20;
const RETRY_MS = 200;

/** Sends one alert to the webhook as Alertmanager would (payload version 4). Throws where it is not accepted as a new incident. */
export async function raise(
  station: RunningStation,
  caller: Caller,
  endpoint: string,
  round: string,
): Promise<Accepted> {
  const body = JSON.stringify(payload(endpoint, round));
  const headers = { authorization: `Bearer ${station.credentials.alertmanager}` };
  const sentAt = performance.now();
  for (let retries = 0; ; retries += 1) {
    const reply = await caller.post(`${station.urls.api}/v1/alerts/alertmanager`, headers, body);
    if (reply.status === 503 && retries < TRIES) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      continue;
    }
    if (reply.status !== 202)
      throw new Error(`the alert on ${endpoint} was answered with ${reply.status}: ${reply.body}`);
    const [row] = acceptedSchema.parse(JSON.parse(reply.body)).incidents;
    if (!row || row.duplicate || row.endpoint !== endpoint)
      throw new Error(`the alert on ${endpoint} was taken for another one: ${reply.body}`);
    return { incident: row.incident, sentAt, acceptedAt: reply.at, retries };
  }
}

function payload(endpoint: string, round: string) {
  const labels = { alertname: 'ServedModelTampered', severity: 'critical', kind: 'tampering', endpoint };
  return {
    version: '4',
    groupKey: `{}:{endpoint="${endpoint}"}`,
    status: 'firing',
    receiver: 'lazaret',
    groupLabels: { endpoint },
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: 'http://alertmanager.invalid',
    alerts: [
      {
        status: 'firing',
        labels,
        annotations: { summary: `the digest of what ${endpoint} serves is not the one that was deployed` },
        startsAt: new Date().toISOString(),
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.invalid/graph',
        fingerprint: createHash('sha256').update(`${round}/${endpoint}`).digest('hex').slice(0, 16),
      },
    ],
  };
}
