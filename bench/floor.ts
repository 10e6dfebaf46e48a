import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import type { RunningStation } from '../station/describe.ts';

/**
 * What Temporal alone costs, on the same server and in the same run: signal-with-start, one workflow task, one empty local activity. No
 * containment can be faster than this one; what it takes longer is Lazaret's.
 */
export interface Floor {
  /** Milliseconds from the client's call to the activity's body. */
  once(): Promise<number>;
  /** `count` at once: milliseconds until the last body ran. */
  burst(count: number): Promise<number>;
  close(): Promise<void>;
}

const QUEUE = 'bench-floor';
const START_SIGNAL = 'start';

export async function openFloor(station: RunningStation, client: Client): Promise<Floor> {
  const quiet = new DefaultLogger('WARN');
  Runtime.install({ logger: quiet, shutdownSignals: [] });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./floor-workflow.js', import.meta.url)),
    logger: quiet,
  });
  const connection = await NativeConnection.connect({ address: station.temporal.address });
  const touched = new Map<string, (at: number) => void>();
  const worker = await Worker.create({
    connection,
    namespace: station.temporal.namespace,
    taskQueue: QUEUE,
    workflowBundle,
    activities: {
      touch: async (id: string) => {
        touched.get(id)?.(performance.now());
        await Promise.resolve();
      },
    },
  });
  const running = worker.run();

  const react = async (): Promise<number> => {
    const id = randomUUID();
    const body = new Promise<number>((resolve) => touched.set(id, resolve));
    const sentAt = performance.now();
    await client.workflow.signalWithStart('floor', {
      taskQueue: QUEUE,
      workflowId: `bench-floor:${id}`,
      signal: START_SIGNAL,
      signalArgs: [id],
      args: [],
    });
    const at = await body;
    touched.delete(id);
    return at - sentAt;
  };

  return {
    once: react,
    burst: async (count) => {
      const from = performance.now();
      await Promise.all(Array.from({ length: count }, react));
      return performance.now() - from;
    },
    close: async () => {
      worker.shutdown();
      await running;
      await connection.close();
    },
  };
}
