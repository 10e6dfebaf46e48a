import { readFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { pino } from 'pino';
import { createHeavyActivities } from '../activities/heavy.ts';
import { parseEnvironment, temporalRule } from '../domain/contracts/environment.ts';
import { responseDependencies } from './dependencies.ts';
import { responseWorkerEnvironment } from './environment.ts';
import { serveCalls } from './thread-calls.ts';

/** The thread of `heavy-thread.ts`. It has clients of its own: what it computes costs the thread of containment nothing. */
const environment = parseEnvironment(responseWorkerEnvironment, process.env, (path) => readFileSync(path, 'utf8'), [
  temporalRule,
]);
const log = pino({ level: environment.LAZARET_LOG_LEVEL, name: 'response' });
if (!parentPort) throw new Error('heavy.worker.ts is the entry of a thread');
serveCalls(parentPort, createHeavyActivities(responseDependencies(environment, log)));
