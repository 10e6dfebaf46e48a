import { WorkflowFailedError, type Client } from '@temporalio/client';
import type { RegisterGoldenInput, RegisteredGolden } from '../../domain/contracts/activities.ts';
import {
  REGISTER_GOLDEN_WORKFLOW,
  RESPONSE_QUEUE,
  RETRAIN_WORKFLOW,
  type RetrainInput,
  type RetrainResult,
} from '../../domain/contracts/messages.ts';
import { RunFailed, RunNotFound, named } from './errors.ts';
import { describeNewest } from './locate.ts';

/** A piece of work besides incidents. `failed` carries the innermost message. */
export type RunStatus<Result> =
  | { readonly status: 'running' }
  | { readonly status: 'completed'; readonly result: Result }
  | { readonly status: 'failed'; readonly message: string };

export interface RunClient {
  /** Idempotent by `job.jobId`: a second start joins the run, or what it came to. Returns the id that `retrain` takes. */
  startRetrain(input: RetrainInput): Promise<string>;
  retrain(id: string): Promise<RunStatus<RetrainResult>>;
  /** Waits for the end. Throws RunFailed with the innermost message. */
  retrainResult(id: string): Promise<RetrainResult>;
  /** Idempotent by model and version. */
  startRegisterGolden(input: RegisterGoldenInput): Promise<string>;
  registerGolden(id: string): Promise<RunStatus<RegisteredGolden>>;
  registerGoldenResult(id: string): Promise<RegisteredGolden>;
}

const DEADLINE_MS = 5_000;

export function createRunClient(client: Client): RunClient {
  const soon = <T>(call: () => Promise<T>) => named(() => client.withDeadline(Date.now() + DEADLINE_MS, call));

  async function start(workflow: string, workflowId: string, input: unknown, summary: string): Promise<void> {
    const newest = await soon(() => describeNewest(client, workflowId));
    if (newest?.status.name === 'COMPLETED') return;
    await soon(() =>
      client.workflow.start(workflow, {
        taskQueue: RESPONSE_QUEUE,
        workflowId,
        args: [input],
        staticSummary: summary,
        workflowIdConflictPolicy: 'USE_EXISTING',
      }),
    );
  }

  async function status<Result>(kind: string, workflowId: string): Promise<RunStatus<Result>> {
    const newest = await soon(() => describeNewest(client, workflowId));
    if (newest === null) throw new RunNotFound(kind);
    if (newest.status.name === 'RUNNING') return { status: 'running' };
    try {
      const result: Result = await soon(() => client.workflow.getHandle(workflowId, newest.runId).result());
      return { status: 'completed', result };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return { status: 'failed', message: innermost(error) };
      throw error;
    }
  }

  const retrainId = (id: string) => `retrain:${id}`;
  const goldenId = (id: string) => `golden:${id}`;
  return {
    async startRetrain(input) {
      await start(RETRAIN_WORKFLOW, retrainId(input.job.jobId), input, `training ${input.job.jobId}`);
      return input.job.jobId;
    },
    retrain: (id) => status<RetrainResult>('training run of that name', retrainId(id)),
    retrainResult: (id) => told(client.workflow.getHandle(retrainId(id)).result()),
    async startRegisterGolden(input) {
      const id = `${input.model}:${input.version}`;
      await start(REGISTER_GOLDEN_WORKFLOW, goldenId(id), input, `golden model ${id}`);
      return id;
    },
    registerGolden: (id) => status<RegisteredGolden>('registration of that name', goldenId(id)),
    registerGoldenResult: (id) => told(client.workflow.getHandle(goldenId(id)).result()),
  };
}

/** "Workflow execution failed" tells nobody anything: the run's own failure is thrown instead. */
async function told<Result>(result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof WorkflowFailedError) throw new RunFailed(innermost(error), { cause: error });
    throw error;
  }
}

function innermost(error: Error): string {
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}
