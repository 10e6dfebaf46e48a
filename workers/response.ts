import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createResponseActivities } from '../activities/index.ts';
import { connectionOptions } from '../clients/temporal/connect.ts';
import { parseEnvironment, temporalRule } from '../domain/contracts/environment.ts';
import { RESPONSE_QUEUE } from '../domain/contracts/messages.ts';
import { createContainmentFirst } from './containment-first.ts';
import { responseDependencies } from './dependencies.ts';
import { responseWorkerEnvironment } from './environment.ts';
import { createHeavyThread } from './heavy-thread.ts';

/** How often the golden models in memory are read anew: what containment answers with may be this old. */
const GOLDEN_REFRESH_MS = 5_000;
/** The SDK's own defaults, which a tuner asks for by name. */
const WORKFLOW_TASKS = 40;
const LOCAL_ACTIVITIES = 100;
const GRACE = '4 seconds';
const NEW_INCIDENTS_SHARE = 0.5;
const STICKY_FOR = '2 seconds';

/** The response worker: workflows and activities on queue `response`. Any number of replicas. */
async function main(): Promise<void> {
  const environment = parseEnvironment(responseWorkerEnvironment, process.env, (path) => readFileSync(path, 'utf8'), [
    temporalRule,
  ]);
  const log = pino({ level: environment.LAZARET_LOG_LEVEL, name: 'response' });
  Runtime.install({
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => log[levelOf(level)]({ ...meta }, message)),
    shutdownSignals: ['SIGINT', 'SIGTERM'],
  });

  const deps = responseDependencies(environment, log);
  const refresh = (): Promise<void> =>
    deps.golden
      .refresh()
      .catch((error: unknown) => log.warn({ error: String(error) }, 'the golden models could not be read'));
  await refresh();
  const timer = setInterval(() => void refresh(), GOLDEN_REFRESH_MS);

  const containmentFirst = createContainmentFirst({
    now: () => performance.now(),
    pause: (ms, signal) => sleep(ms, undefined, { signal }),
  });
  const heavy = createHeavyThread();
  const connection = await NativeConnection.connect(connectionOptions(environment));
  try {
    const worker = await Worker.create({
      connection,
      namespace: environment.LAZARET_TEMPORAL_NAMESPACE,
      taskQueue: RESPONSE_QUEUE,
      workflowBundle: { codePath: fileURLToPath(new URL('../workflows.bundle.js', import.meta.url)) },
      activities: createResponseActivities(deps, heavy.activities),
      shutdownGraceTime: GRACE,
      interceptors: { activity: [containmentFirst.interceptor] },
      tuner: {
        workflowTaskSlotSupplier: { type: 'fixed-size', numSlots: WORKFLOW_TASKS },
        localActivityTaskSlotSupplier: { type: 'fixed-size', numSlots: LOCAL_ACTIVITIES },
        activityTaskSlotSupplier: containmentFirst.slots,
        nexusTaskSlotSupplier: { type: 'fixed-size', numSlots: 1 },
      },
      // New incidents come by the queue that is not sticky; by default four in five polls would go to the incidents that run already.
      nonStickyToStickyPollRatio: NEW_INCIDENTS_SHARE,
      // An incident of a killed worker goes on elsewhere after this long.
      stickyQueueScheduleToStartTimeout: STICKY_FOR,
    });
    log.info({ queue: RESPONSE_QUEUE }, 'response worker is up');
    await worker.run();
  } finally {
    clearInterval(timer);
    await heavy.close();
    await connection.close();
  }
}

function levelOf(level: string): 'trace' | 'debug' | 'info' | 'warn' | 'error' {
  switch (level) {
    case 'TRACE':
      return 'trace';
    case 'DEBUG':
      return 'debug';
    case 'WARN':
      return 'warn';
    case 'ERROR':
      return 'error';
    default:
      return 'info';
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
