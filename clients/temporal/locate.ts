import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import { INCIDENT_WORKFLOW, incidentIdOf, incidentWorkflowId } from '../../domain/contracts/messages.ts';
import { SEARCH_ATTRIBUTES } from '../../domain/contracts/search-attributes.ts';
import { IncidentNotFound, isNotFound } from './errors.ts';

export interface LocatedIncident {
  readonly incident: string;
  readonly endpoint: string;
  readonly runId: string;
  readonly open: boolean;
  readonly handle: WorkflowHandle;
}

/** `<endpoint>-<8 hex digits>`. Anything else MUST NOT reach a visibility query, which is text. */
const INCIDENT_ID = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)-([0-9a-f]{8})$/;

/** Runs of one endpoint that are looked through when an incident never got its search attribute. */
const MAX_RUNS_SEARCHED = 200;

/**
 * Finds an incident's run. The newest run of the endpoint is asked first, because the server answers that from its own state while visibility
 * lags by up to 100 ms; older runs are found by the search attribute, or, where it was never set, by the run id that the name carries.
 */
export async function locateIncident(client: Client, incident: string): Promise<LocatedIncident> {
  const [, endpoint] = INCIDENT_ID.exec(incident) ?? [];
  if (endpoint === undefined) throw new IncidentNotFound(incident);
  const workflowId = incidentWorkflowId(endpoint);
  const newest = await describeNewest(client, workflowId);
  if (newest === null) throw new IncidentNotFound(incident);
  const located = (runId: string, open: boolean): LocatedIncident => ({
    incident,
    endpoint,
    runId,
    open,
    handle: client.workflow.getHandle(workflowId, runId),
  });
  if (incidentIdOf(endpoint, firstRunIdOf(newest)) === incident)
    return located(newest.runId, newest.status.name === 'RUNNING');

  const byAttribute = `WorkflowType = "${INCIDENT_WORKFLOW}" AND ${SEARCH_ATTRIBUTES.incident} = "${incident}"`;
  for await (const info of client.workflow.list({ query: byAttribute, pageSize: 1 })) {
    return located(info.runId, info.status.name === 'RUNNING');
  }
  let searched = 0;
  for await (const info of client.workflow.list({ query: `WorkflowId = "${workflowId}"`, pageSize: 100 })) {
    if (incidentIdOf(endpoint, info.raw.firstRunId || info.runId) === incident) {
      return located(info.runId, info.status.name === 'RUNNING');
    }
    if ((searched += 1) >= MAX_RUNS_SEARCHED) break;
  }
  throw new IncidentNotFound(incident);
}

/** The newest run under a workflow id; null where there never was one. */
export async function describeNewest(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

/** The first run of the chain: continue-as-new changes the run id, and the incident's name must not change with it. */
export function firstRunIdOf(description: WorkflowExecutionDescription): string {
  return description.raw.workflowExecutionInfo?.firstRunId || description.runId;
}
