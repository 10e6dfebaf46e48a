import { afterAll, describe, expect, it } from '@jest/globals';
import { createCaller } from '../../workers/thread-calls.ts';

const caller = createCaller(new URL('./calls.worker.ts', import.meta.url));
afterAll(async () => {
  await caller.close();
});

describe('calls into a thread', () => {
  it('leave the thread of the caller free while they compute', async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const held = caller.call('hold', flag);
    // Only a thread that is not held can wake the one that is.
    setTimeout(() => {
      Atomics.store(flag, 0, 1);
      Atomics.notify(flag, 0);
    }, 50);
    expect(['ok', 'not-equal']).toContain(await held);
  });

  it('bring back what was thrown: a failure with its code, a bug as one', async () => {
    await expect(caller.call('refuse', null)).rejects.toMatchObject({ code: 'model/invalid', message: 'no model' });
    await expect(caller.call('stumble', null)).rejects.toThrow('a bug');
    await expect(caller.call('nothing', null)).rejects.toThrow('serves no "nothing"');
  });

  it('end with analysis/crashed when the thread dies, and the next one gets a new thread', async () => {
    await expect(caller.call('die', null)).rejects.toMatchObject({ code: 'analysis/crashed' });
    expect(await caller.call('double', 21)).toBe(42);
  });
});
