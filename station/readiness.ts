import { Connection } from '@temporalio/client';
import temporalProto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../domain/contracts/search-attributes.ts';

const { TaskQueueType } = temporalProto.temporal.api.enums.v1;
const KEYWORD = temporalProto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD;
const ANSWER_LIMIT_MS = 1000;

/** Any HTTP answer at all, or one with the given status. */
export async function answers(url: string, status?: number): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS), redirect: 'manual' }).catch(
    () => null,
  );
  await response?.body?.cancel();
  return response !== null && (status === undefined || response.status === status);
}

/** What the station asks of Temporal to know whether its processes work. */
export interface TemporalProbe {
  /** The namespace answers and knows every search attribute of an incident. */
  serves(): Promise<boolean>;
  /** Adds the search attributes that are missing; for a Temporal that the station did not start itself. */
  prepare(): Promise<readonly string[]>;
  /** Has a worker asked this queue for work since then? */
  polled(queue: string, kind: 'workflow' | 'activity', since: Date): Promise<boolean>;
  close(): Promise<void>;
}

export function createTemporalProbe(address: string, namespace: string): TemporalProbe {
  let opened: Promise<Connection> | null = null;
  const connection = async () => {
    opened ??= Connection.connect({ address, connectTimeout: ANSWER_LIMIT_MS });
    try {
      return await opened;
    } catch (error) {
      opened = null;
      throw error;
    }
  };
  const missing = async () => {
    const { operatorService } = await connection();
    const known = (await operatorService.listSearchAttributes({ namespace })).customAttributes ?? {};
    return Object.values(SEARCH_ATTRIBUTES).filter((name) => !(name in known));
  };
  return {
    serves: async () => (await missing()).length === 0,
    async prepare() {
      const names = await missing();
      if (names.length > 0) {
        const { operatorService } = await connection();
        const searchAttributes = Object.fromEntries(names.map((name) => [name, KEYWORD]));
        await operatorService.addSearchAttributes({ namespace, searchAttributes });
      }
      return names;
    },
    async polled(queue, kind, since) {
      const { workflowService } = await connection();
      const { pollers } = await workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: queue },
        taskQueueType:
          kind === 'workflow' ? TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW : TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
      });
      return (pollers ?? []).some(
        ({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 >= since.getTime() - 1000,
      );
    },
    async close() {
      const open = await opened?.catch(() => null);
      await open?.close();
    },
  };
}
