import { parentPort } from 'node:worker_threads';
import { Failure } from '../../domain/incident/failure.ts';
import { serveCalls } from '../../workers/thread-calls.ts';

if (!parentPort) throw new Error('the entry of a thread');
serveCalls(parentPort, {
  /** Blocks this thread until somebody else wakes it. */
  hold: (flag: Int32Array) => Promise.resolve(Atomics.wait(flag, 0, 0, 20_000)),
  refuse: () => Promise.reject(new Failure('model/invalid', 'no model')),
  stumble: () => Promise.reject(new TypeError('a bug')),
  die: () => process.exit(1),
  double: (value: number) => Promise.resolve(2 * value),
});
