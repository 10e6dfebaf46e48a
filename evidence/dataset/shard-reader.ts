import { Worker } from 'node:worker_threads';
import { Failure } from '../../domain/incident/failure.ts';
import type { ShardColumns } from './shard.ts';

/** What the worker is asked, and what it answers. */
export interface ShardQuestion {
  readonly bytes: Uint8Array;
  readonly maxRecords: number;
}
export type ShardAnswer = { readonly columns: ShardColumns } | { readonly refused: string };

/** Reads shards in a thread of its own, one after the other. */
export interface ShardReader {
  /** Throws `dataset/invalid` on anything that is not a shard, or takes too long or too much memory to be found out. */
  read(bytes: Uint8Array, maxRecords: number): Promise<ShardColumns>;
  close(): void;
}

/** A shard of a hundred megabytes takes seconds; one that takes longer than this was made to. */
const READ_TIMEOUT_MS = 60_000;
/** Of the worker's heap. Its end is the worker's alone. */
const MAX_HEAP_MIB = 1_024;

/**
 * Shards are vouched for by a signature, and the signer may have been taken over: that is what incidents are about. Parquet lets a few bytes
 * claim any amount of work, so it is done where it can be stopped. The worker starts with the first read and anew after one that was stopped.
 */
export function openShardReader({ timeoutMs = READ_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): ShardReader {
  let worker: Worker | null = null;
  const stop = (): void => {
    void worker?.terminate();
    worker = null;
  };
  return {
    async read(bytes, maxRecords) {
      worker ??= start();
      const answer = await ask(worker, { bytes, maxRecords }, timeoutMs).catch((error: unknown) => {
        stop();
        throw error;
      });
      if ('refused' in answer) throw new Failure('dataset/invalid', answer.refused);
      return answer.columns;
    },
    close: stop,
  };
}

function start(): Worker {
  const file = import.meta.url.endsWith('.ts') ? './shard-worker.ts' : './shard-worker.js';
  return new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB } });
}

async function ask(worker: Worker, question: ShardQuestion, timeoutMs: number): Promise<ShardAnswer> {
  return await new Promise((resolve, reject) => {
    const refuse = (what: string): void => {
      settle();
      reject(new Failure('dataset/invalid', `The shard ${what}.`));
    };
    const timer = setTimeout(() => refuse(`could not be read within ${timeoutMs} ms`), timeoutMs);
    const onMessage = (answer: ShardAnswer): void => {
      settle();
      resolve(answer);
    };
    const onError = (error: Error): void => refuse(`stopped its reader: ${error.message}`);
    const onExit = (): void => refuse('stopped its reader');
    const settle = (): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(question);
  });
}
