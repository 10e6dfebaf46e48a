import { WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import type { Alert } from '../../domain/contracts/alert.ts';
import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import {
  ALERT_SIGNAL,
  DECIDE_UPDATE,
  ENTRIES_QUERY,
  INCIDENT_WORKFLOW,
  RESPONSE_QUEUE,
  STATE_QUERY,
  incidentIdOf,
  incidentWorkflowId,
  type AlertSignal,
  type DecideResult,
  type DecideUpdate,
  type EntriesQuery,
  type IncidentInput,
  type IncidentResult,
  type StateQuery,
} from '../../domain/contracts/messages.ts';
import { SEARCH_ATTRIBUTES } from '../../domain/contracts/search-attributes.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { DecisionRefused, isNotFound, named } from './errors.ts';
import { INCIDENT_KEYS, rowOf, type IncidentRow } from './incident-rows.ts';
import { describeNewest, firstRunIdOf, locateIncident, type LocatedIncident } from './locate.ts';
import { trainingProgress } from './training-progress.ts';

export interface RaisedAlert {
  readonly incident: string;
  readonly workflowId: string;
  readonly runId: string;
}

export interface IncidentFilter {
  readonly open?: boolean | undefined;
  readonly endpoint?: string | undefined;
  readonly limit: number;
}

/** What the API, the CLI and the station ask of incidents. Errors: see `errors.ts`. */
export interface IncidentClient {
  /** Returns once Temporal holds the alert durably. Alerts of one endpoint join its open incident. */
  raiseAlert(alert: Alert): Promise<RaisedAlert>;
  /** A resolved alert is evidence for an open incident and opens none; null where none is open. */
  noteResolved(alert: Alert): Promise<RaisedAlert | null>;
  /** Newest first; from visibility, which lags by up to 100 ms. */
  list(filter: IncidentFilter): Promise<readonly IncidentRow[]>;
  find(incident: string): Promise<LocatedIncident>;
  state(incident: string): Promise<IncidentState>;
  entries(incident: string, from: number): Promise<readonly CaseEntry[]>;
  /** Sends a signed statement. Throws DecisionRefused with the workflow's own sentence. */
  decide(incident: string, statement: string): Promise<DecideResult>;
  /** New log entries as they come, an empty batch where a poll brought none; ends after the last one of a closed incident. */
  watch(incident: string, options?: WatchOptions): AsyncGenerator<readonly CaseEntry[], void, undefined>;
  /** Does Temporal answer? Throws TemporalUnavailable. */
  ping(): Promise<void>;
}

export interface WatchOptions {
  readonly from?: number;
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

/** A webhook's sender gives up after 10 s (Alertmanager's default timeout); it must hear 503 from us first. */
const SERVER_DEADLINE_MS = 5_000;
/** Queries and updates may have to replay a run that no worker holds. */
const WORKER_DEADLINE_MS = 10_000;
const POLL_MS = 500;

const PATTERN_OF_ENDPOINT = /^[a-z0-9-]{1,63}$/;

type IncidentWorkflow = (input: IncidentInput) => Promise<IncidentResult>;

export function createIncidentClient(client: Client): IncidentClient {
  const asServer = <T>(call: () => Promise<T>) =>
    named(() => client.withDeadline(Date.now() + SERVER_DEADLINE_MS, call));
  const asWorker = <T>(call: () => Promise<T>) =>
    named(() => client.withDeadline(Date.now() + WORKER_DEADLINE_MS, call), 'worker');
  const find = (incident: string) => asServer(() => locateIncident(client, incident));

  async function entries(incident: string, from: number): Promise<readonly CaseEntry[]> {
    const { handle } = await find(incident);
    const answer = await asWorker(() => handle.query<EntriesQuery, [number]>(ENTRIES_QUERY, from));
    return answer.entries;
  }

  return {
    async raiseAlert(alert) {
      const workflowId = incidentWorkflowId(alert.endpoint);
      const { signaledRunId } = await asServer(() =>
        client.workflow.signalWithStart<IncidentWorkflow, AlertSignal>(INCIDENT_WORKFLOW, {
          taskQueue: RESPONSE_QUEUE,
          workflowId,
          args: [{ endpoint: alert.endpoint }],
          signal: ALERT_SIGNAL,
          signalArgs: [alert],
          typedSearchAttributes: [
            { key: INCIDENT_KEYS.endpoint, value: alert.endpoint },
            { key: INCIDENT_KEYS.kind, value: alert.kind },
            { key: INCIDENT_KEYS.phase, value: 'triage' },
            { key: INCIDENT_KEYS.waiting, value: '-' },
          ],
          // Temporal's page renders these as Markdown: nothing the sender wrote freely belongs here.
          staticSummary: `${alert.endpoint}: ${alert.kind} alleged`,
          staticDetails: `Opened by an alert from ${alert.source}, received ${alert.receivedAt}.`,
        }),
      );
      return { incident: await nameOf(alert.endpoint, workflowId, signaledRunId), workflowId, runId: signaledRunId };
    },

    async noteResolved(alert) {
      const workflowId = incidentWorkflowId(alert.endpoint);
      const handle = client.workflow.getHandle(workflowId);
      try {
        await asServer(() => handle.signal<AlertSignal>(ALERT_SIGNAL, alert));
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
      const newest = await asServer(() => describeNewest(client, workflowId));
      if (newest === null) return null;
      return { incident: incidentIdOf(alert.endpoint, firstRunIdOf(newest)), workflowId, runId: newest.runId };
    },

    async list({ open, endpoint, limit }) {
      const conditions = [`WorkflowType = "${INCIDENT_WORKFLOW}"`];
      if (open !== undefined) conditions.push(open ? 'ExecutionStatus = "Running"' : 'ExecutionStatus != "Running"');
      if (endpoint !== undefined) {
        if (!PATTERN_OF_ENDPOINT.test(endpoint)) return [];
        conditions.push(`${SEARCH_ATTRIBUTES.endpoint} = "${endpoint}"`);
      }
      // A run that went on as a new one is still the same incident: only the last of the chain is a row.
      conditions.push('ExecutionStatus != "ContinuedAsNew"');
      return asServer(async () => {
        const rows: IncidentRow[] = [];
        for await (const info of client.workflow.list({ query: conditions.join(' AND '), pageSize: limit })) {
          rows.push(rowOf(info));
          if (rows.length >= limit) break;
        }
        return rows;
      });
    },

    find,

    async state(incident) {
      const { handle } = await find(incident);
      const state = await asWorker(() => handle.query<StateQuery>(STATE_QUERY));
      if (state.status === 'closed' || state.phase !== 'recover' || state.training.result !== null) return state;
      // How far a training is says nothing of the incident: without an answer the state is as good.
      const progress = await asServer(() => trainingProgress(client, handle)).catch(() => null);
      return { ...state, training: { ...state.training, progress } };
    },

    entries,

    async decide(incident, statement) {
      const { handle, open } = await find(incident);
      if (!open) throw new DecisionRefused('the incident is closed; nothing waits for a decision');
      try {
        return await asWorker(() =>
          handle.executeUpdate<DecideResult, DecideUpdate>(DECIDE_UPDATE, {
            args: [statement],
            // The same statement sent twice is the same update, whoever repeats it.
            updateId: digestOf(statement),
          }),
        );
      } catch (error) {
        if (error instanceof WorkflowUpdateFailedError) {
          throw new DecisionRefused(error.cause?.message ?? error.message, { cause: error });
        }
        if (isNotFound(error))
          throw new DecisionRefused('the incident closed before the decision reached it', { cause: error });
        throw error;
      }
    },

    async *watch(incident, { from = 0, pollMs = POLL_MS, signal } = {}) {
      let next = from;
      while (!signal?.aborted) {
        // Asked before the entries are: what a closing incident logs last is then still seen.
        const { open } = await find(incident);
        const batch = await entries(incident, next);
        next = (batch.at(-1)?.seq ?? next - 1) + 1;
        yield batch;
        if (!open) return;
        if (batch.length === 0) await pause(pollMs, signal);
      }
    },

    async ping() {
      await asServer(() => client.connection.workflowService.getSystemInfo({}));
    },
  };

  /** The alert is already accepted here, so a failed look-up must not lose it: then the run id names the incident as well as it can. */
  async function nameOf(endpoint: string, workflowId: string, signaledRunId: string): Promise<string> {
    const newest = await asServer(() => describeNewest(client, workflowId)).catch(() => null);
    return incidentIdOf(endpoint, newest?.runId === signaledRunId ? firstRunIdOf(newest) : signaledRunId);
  }
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done, { once: true });
  });
}
