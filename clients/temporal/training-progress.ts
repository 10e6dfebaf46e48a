import type { Client, WorkflowHandle } from '@temporalio/client';
import { RETRAIN_WORKFLOW } from '../../domain/contracts/messages.ts';
import { trainProgressSchema, type TrainProgress } from '../../domain/contracts/trainer.ts';

/**
 * The newest heartbeat of the training that an incident's child workflow waits for; null where none runs or none has beaten yet. A workflow
 * does not see the heartbeats of its activities, so the server is asked. What a trainer of whatever make sends there is parsed here.
 */
export async function trainingProgress(client: Client, incident: WorkflowHandle): Promise<TrainProgress | null> {
  const { raw } = await incident.describe();
  for (const child of raw.pendingChildren ?? []) {
    if (child.workflowTypeName !== RETRAIN_WORKFLOW || !child.workflowId) continue;
    const { raw: run } = await client.workflow.getHandle(child.workflowId, child.runId ?? undefined).describe();
    for (const { heartbeatDetails } of run.pendingActivities ?? []) {
      const [details] = heartbeatDetails?.payloads ?? [];
      const parsed = details && trainProgressSchema.safeParse(decoded(client, details));
      if (parsed?.success) return parsed.data;
    }
  }
  return null;
}

function decoded(client: Client, payload: Parameters<Converter['fromPayload']>[0]): unknown {
  try {
    return client.options.loadedDataConverter.payloadConverter.fromPayload<unknown>(payload);
  } catch {
    // Another trainer may say nothing that is JSON.
    return null;
  }
}
type Converter = Client['options']['loadedDataConverter']['payloadConverter'];
