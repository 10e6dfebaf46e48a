import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';

/**
 * The floor's worker, in a process of its own as the response worker is. Tells its parent `'ready'` once, and `[id, at]` for each body that
 * ran; `at` is `process.hrtime()` in milliseconds, a clock that the processes of a machine share.
 */
const [address = '', namespace = '', taskQueue = ''] = process.argv.slice(2);

const quiet = new DefaultLogger('WARN');
Runtime.install({ logger: quiet, shutdownSignals: ['SIGTERM'] });
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('./floor-workflow.js', import.meta.url)),
  logger: quiet,
});
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  namespace,
  taskQueue,
  workflowBundle,
  activities: {
    touch: async (id: string) => {
      process.send?.([id, Number(process.hrtime.bigint()) / 1e6]);
      await Promise.resolve();
    },
  },
});
process.send?.('ready');
await worker.run();
await connection.close();
process.disconnect?.();
