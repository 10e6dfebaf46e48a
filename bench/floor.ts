import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
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
const messageSchema = z.union([z.literal('ready'), z.tuple([z.string(), z.number()])]);

export async function openFloor(station: RunningStation, client: Client): Promise<Floor> {
  const { address, namespace } = station.temporal;
  const worker = fork(fileURLToPath(new URL('./floor-worker.js', import.meta.url)), [address, namespace, QUEUE]);
  const touched = new Map<string, (at: number) => void>();
  const gone = once(worker, 'exit');
  await new Promise<void>((resolve, reject) => {
    worker.once('exit', (status) => reject(new Error(`the floor's worker ended with status ${status}`)));
    worker.on('message', (raw) => {
      const message = messageSchema.parse(raw);
      if (message === 'ready') return resolve();
      const [id, at] = message;
      touched.get(id)?.(at);
      touched.delete(id);
    });
  });

  const react = async (): Promise<number> => {
    const id = randomUUID();
    const body = new Promise<number>((resolve) => touched.set(id, resolve));
    const calledAt = now();
    await client.workflow.signalWithStart('floor', {
      taskQueue: QUEUE,
      workflowId: `bench-floor:${id}`,
      signal: START_SIGNAL,
      signalArgs: [id],
      args: [],
    });
    return (await body) - calledAt;
  };

  return {
    once: react,
    burst: async (count) => Math.max(...(await Promise.all(Array.from({ length: count }, react)))),
    close: async () => {
      worker.kill('SIGTERM');
      await gone;
    },
  };
}

/** Milliseconds of the clock that the processes of a machine share. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
