import { defineSearchAttributeKey, SearchAttributeType, type TypedSearchAttributes } from '@temporalio/common';
import type { WorkflowExecutionInfo } from '@temporalio/client';
import { incidentIdOf, incidentWorkflowId } from '../../domain/contracts/messages.ts';
import { SEARCH_ATTRIBUTES } from '../../domain/contracts/search-attributes.ts';

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

/** The search attributes of an incident as typed keys. */
export const INCIDENT_KEYS = {
  incident: keyword(SEARCH_ATTRIBUTES.incident),
  endpoint: keyword(SEARCH_ATTRIBUTES.endpoint),
  kind: keyword(SEARCH_ATTRIBUTES.kind),
  severity: keyword(SEARCH_ATTRIBUTES.severity),
  phase: keyword(SEARCH_ATTRIBUTES.phase),
  waiting: keyword(SEARCH_ATTRIBUTES.waiting),
  stance: keyword(SEARCH_ATTRIBUTES.stance),
  outcome: keyword(SEARCH_ATTRIBUTES.outcome),
} as const;

/** One line of the list of incidents, from visibility alone: a query would replay every run that no worker holds in its cache. */
export interface IncidentRow {
  readonly incident: string;
  readonly endpoint: string;
  readonly open: boolean;
  /** Null until the workflow has said so. */
  readonly kind: string | null;
  readonly severity: string | null;
  readonly phase: string | null;
  /** The gate a person is waited for at; null when none. */
  readonly waiting: string | null;
  readonly stance: string | null;
  readonly outcome: string | null;
  readonly openedAt: string;
  readonly closedAt: string | null;
}

const PREFIX = incidentWorkflowId('');

export function rowOf(info: WorkflowExecutionInfo): IncidentRow {
  const attributes: TypedSearchAttributes = info.typedSearchAttributes;
  const endpoint = info.workflowId.slice(PREFIX.length);
  const waiting = attributes.get(INCIDENT_KEYS.waiting) ?? null;
  return {
    incident: attributes.get(INCIDENT_KEYS.incident) ?? incidentIdOf(endpoint, info.raw.firstRunId || info.runId),
    endpoint,
    open: info.status.name === 'RUNNING',
    kind: attributes.get(INCIDENT_KEYS.kind) ?? null,
    severity: attributes.get(INCIDENT_KEYS.severity) ?? null,
    phase: attributes.get(INCIDENT_KEYS.phase) ?? null,
    waiting: waiting === '-' ? null : waiting,
    stance: attributes.get(INCIDENT_KEYS.stance) ?? null,
    outcome: attributes.get(INCIDENT_KEYS.outcome) ?? null,
    openedAt: info.startTime.toISOString(),
    closedAt: info.closeTime?.toISOString() ?? null,
  };
}
