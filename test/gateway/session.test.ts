import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from '@jest/globals';
import { openSession, type Session, type SessionOptions } from '../../gateway/model/session.ts';
import { modelBytes } from './station.ts';

const open: Session[] = [];
const threads: Worker[] = [];

async function load(name: string, options: SessionOptions = {}): Promise<Session> {
  const session = await openSession(new Uint8Array(modelBytes(name)), {
    onThread: (worker) => threads.push(worker),
    ...options,
  });
  open.push(session);
  return session;
}

afterEach(async () => {
  for (const session of open.splice(0)) session.retire();
  threads.length = 0;
});

const record = (...values: number[]) => [{ shape: [1, 4], data: Float32Array.from(values) }];
const index = (...rows: number[]) => [{ shape: [rows.length], data: BigInt64Array.from(rows, BigInt) }];
const image = [{ shape: [1, 1, 8, 8], data: new Float32Array(64).fill(0.5) }];
const scores = async (session: Session, inputs: Parameters<Session['run']>[0]) =>
  Array.from((await session.run(inputs)).outputs[0]?.data as Float32Array);

/** What no client can send, and the thread does not survive. */
function crash(thread: Worker | undefined): void {
  thread?.postMessage({ kind: 'run', id: -1, inputs: null, alone: false });
}

describe('requests that run together', () => {
  it('each get the rows of their own, also where they have several', async () => {
    const session = await load('looking-up');
    const asked = Array.from({ length: 200 }, (_, at) =>
      Array.from({ length: 1 + (at % 3) }, (__, row) => (7 * at + row) % 100),
    );
    const answers = await Promise.all(asked.map((rows) => scores(session, index(...rows))));
    expect(answers).toEqual(asked.map((rows) => rows.flatMap((row) => [0, 1, 2, 3].map((column) => 4 * row + column))));
  });

  it('do not fail with the one among them that fails', async () => {
    const session = await load('looking-up');
    const answers = await Promise.allSettled([1, 1000, 2].map((row) => scores(session, index(row))));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await scores(session, index(3))).toEqual([12, 13, 14, 15]);
  });

  it('do not run together where what one is answered depends on the others: strangers would see each other', async () => {
    const session = await load('mixing');
    const answers = await Promise.all(Array.from({ length: 50 }, (_, at) => scores(session, record(at, 0, 0, 1))));
    // Less its mean over a batch of one, every record is zero.
    expect(answers.flat().every((value) => value === 0)).toBe(true);
  });
});

describe('a thread that ends', () => {
  it('is replaced, and requests that waited for it are answered by the next one', async () => {
    const session = await load('looking-up');
    crash(threads[0]);
    const waiting = [1, 2, 3].map((row) => scores(session, index(row)));
    expect((await Promise.all(waiting)).map(([first]) => first)).toEqual([4, 8, 12]);
    expect(threads).toHaveLength(2);
    expect(session.alive()).toBe(true);
  });

  it('gives up a request that takes too long; what waited behind it is answered by another thread', async () => {
    let time = 0;
    const session = await load('slow', { now: () => time, runTimeoutMs: 100 });
    const late = session.run(image).catch((error: unknown) => error);
    time = 50;
    const behind = session.run(image);
    time = 120;
    expect(await late).toMatchObject({ kind: 'timeout' });
    expect((await behind).outputs[0]?.data).toHaveLength(10);
    expect(threads).toHaveLength(2);
  });

  it('is not replaced for ever: a model that ends thread after thread is given up', async () => {
    const session = await load('looking-up');
    for (let ended = 0; ended < 4; ended += 1) {
      crash(threads.at(-1));
      // The next one is up when it answers; after the last, nobody is.
      await scores(session, index(0)).catch(() => undefined);
    }
    expect(session.alive()).toBe(false);
    await expect(session.run(index(1))).rejects.toMatchObject({ kind: 'gone' });
  });
});
