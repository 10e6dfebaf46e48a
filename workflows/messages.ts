import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Alert } from '../domain/contracts/alert.ts';
import {
  ALERT_SIGNAL,
  DECIDE_UPDATE,
  ENTRIES_QUERY,
  STATE_QUERY,
  type DecideResult,
  type EntriesQuery,
} from '../domain/contracts/messages.ts';
import type { IncidentState } from '../domain/incident/state.ts';

export const alertSignal = defineSignal<[Alert]>(ALERT_SIGNAL);
export const decideUpdate = defineUpdate<DecideResult, [string]>(DECIDE_UPDATE);
export const stateQuery = defineQuery<IncidentState>(STATE_QUERY);
export const entriesQuery = defineQuery<EntriesQuery, [number]>(ENTRIES_QUERY);
/** From the retraining to its incident: nobody serves the queue. */
export const trainerAbsent = defineSignal<[string]>('trainer-absent');
