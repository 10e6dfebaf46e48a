import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import type { DecideResult } from '../../domain/contracts/messages.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import type { IncidentRow } from '../temporal/incident-rows.ts';

/** The API answered with a problem document (RFC 9457); the message is its detail. */
export class ApiRefused extends Error {
  readonly status: number;
  readonly code: string | null;
  constructor(status: number, code: string | null, message: string) {
    super(message);
    this.name = 'ApiRefused';
    this.status = status;
    this.code = code;
  }
}

/** Nobody listens there. */
export class ApiUnreachable extends Error {
  constructor(url: string, options?: { cause?: unknown }) {
    super(`the API at ${url} does not answer`, options);
    this.name = 'ApiUnreachable';
  }
}

/** What a person asks of the API, as that person. The answers are the API's own documents; the API is trusted by whoever configured its address. */
export interface LazaretApi {
  incidents(filter: { readonly open: boolean; readonly endpoint: string | undefined }): Promise<readonly IncidentRow[]>;
  state(incident: string): Promise<IncidentState>;
  /** Entries of the case log from a sequence number on. */
  entries(incident: string, from: number): Promise<readonly CaseEntry[]>;
  /** Hands in a statement that the person signed. */
  decide(incident: string, statement: string): Promise<DecideResult>;
}

const ANSWER_LIMIT_MS = 20_000;

export function createLazaretApi(connection: { readonly url: string; readonly token: string }): LazaretApi {
  async function call<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(new URL(path, connection.url), {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${connection.token}`,
        accept: 'application/json, application/problem+json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new ApiUnreachable(connection.url, { cause });
    });
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) throw refusal(response.status, answer);
    return answer as T;
  }

  const at = (incident: string, rest = '') => `/v1/incidents/${encodeURIComponent(incident)}${rest}`;
  return {
    async incidents({ open, endpoint }) {
      const query = new URLSearchParams({ ...(open ? { open: 'true' } : {}), ...(endpoint ? { endpoint } : {}) });
      return (await call<{ incidents: readonly IncidentRow[] }>(`/v1/incidents?${query}`)).incidents;
    },
    state: (incident) => call(at(incident)),
    entries: async (incident, from) =>
      (await call<{ entries: readonly CaseEntry[] }>(at(incident, `/entries?from=${from}`))).entries,
    decide: (incident, statement) => call(at(incident, '/decisions'), { statement }),
  };
}

function refusal(status: number, answer: unknown): ApiRefused {
  const text = (name: string) => {
    const value =
      typeof answer === 'object' && answer !== null ? Object.entries(answer).find(([key]) => key === name)?.[1] : null;
    return typeof value === 'string' ? value : null;
  };
  return new ApiRefused(
    status,
    text('code') ?? text('type'),
    text('detail') ?? text('title') ?? `the API answered ${status}`,
  );
}
