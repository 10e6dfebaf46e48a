import { parentPort } from 'node:worker_threads';
import type { ShardAnswer, ShardQuestion } from './shard-reader.ts';
import { parseShard } from './shard.ts';

/** The thread that reads shards for `openShardReader`: one question, one answer. */
parentPort?.on('message', ({ bytes, maxRecords }: ShardQuestion) => {
  parseShard(bytes, maxRecords).then(
    (columns) => answer({ columns }),
    (error: unknown) => answer({ refused: error instanceof Error ? error.message : 'The shard cannot be read.' }),
  );
});

function answer(value: ShardAnswer): void {
  parentPort?.postMessage(value);
}
