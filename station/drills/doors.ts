import { z } from 'zod';
import type { RunningStation } from '../describe.ts';

/** The doors everybody uses: the webhook, the decisions, the downloads. A door that is away for a moment (a restart) is tried again. */
export interface Doors {
  alertmanager(
    payload: unknown,
  ): Promise<{ status: number; incidents: readonly { incident: string; endpoint: string }[] }>;
  decide(incident: string, statement: string): Promise<{ status: number; body: unknown }>;
  download(path: string): Promise<Uint8Array>;
}

const acceptedSchema = z.object({ incidents: z.array(z.object({ incident: z.string(), endpoint: z.string() })) });
const TRIES = 40;
const PAUSE_MS = 500;

export function createDoors(station: RunningStation): Doors {
  const person = station.people[0];
  if (!person) throw new Error('the station has no people');
  const call = async (path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> => {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await fetch(new URL(path, station.urls.api), init).catch((error: unknown) => {
        if (attempt >= TRIES) throw error;
        return null;
      });
      if (reply && (reply.status !== 503 || attempt >= TRIES)) return reply;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  return {
    alertmanager: async (payload) => {
      const reply = await call('/v1/alerts/alertmanager', {
        method: 'POST',
        headers: { authorization: `Bearer ${station.credentials.alertmanager}`, 'content-type': 'application/json' },
        body: JSON.stringify(payload),
      });
      const body: unknown = await reply.json();
      if (!reply.ok) throw new Error(`the alert was refused with ${reply.status}: ${JSON.stringify(body)}`);
      return { status: reply.status, incidents: acceptedSchema.parse(body).incidents };
    },
    decide: async (incident, statement) => {
      const reply = await call(`/v1/incidents/${incident}/decisions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${person.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ statement }),
      });
      return { status: reply.status, body: await reply.json() };
    },
    download: async (path) => {
      const reply = await call(path, { headers: { authorization: `Bearer ${person.token}` } });
      if (!reply.ok) throw new Error(`${path} answered ${reply.status}: ${await reply.text()}`);
      return new Uint8Array(await reply.arrayBuffer());
    },
  };
}
