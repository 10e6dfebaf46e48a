import { describe, expect, it } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { createContainmentFirst } from '../../workers/containment-first.ts';

/** A clock that goes on only while somebody waits for a place. */
function stage() {
  let time = 0;
  const { interceptor, slots } = createContainmentFirst({
    now: () => time,
    pause: async (ms, signal) => {
      await Promise.resolve();
      signal.throwIfAborted();
      time += ms;
    },
  });
  const run = async (isLocal: boolean, body: () => Promise<unknown>): Promise<unknown> => {
    // The edge to the SDK: only this member is used.
    const execute = interceptor({ info: { isLocal } } as unknown as Context).inbound?.execute;
    if (!execute) throw new Error('nothing is intercepted');
    return await execute({ args: [], headers: {} }, body);
  };
  const about = {
    slotType: 'activity',
    taskQueue: 'response',
    workerIdentity: 'one',
    workerBuildId: '',
    isSticky: false,
  } as const;
  return {
    contain: (body: () => Promise<unknown> = done) => run(true, body),
    work: () => run(false, done),
    place: (signal = new AbortController().signal) => slots.reserveSlot(about, signal),
    placeAtOnce: () => slots.tryReserveSlot(about),
    giveBack: () => slots.releaseSlot({ permit: {} }),
    time: () => time,
  };
}

const done = async (): Promise<string> => await Promise.resolve('done');
const never = async (): Promise<never> => await new Promise<never>(() => {});

describe('containment comes first', () => {
  it('and nothing waits where nothing is being contained', async () => {
    const at = stage();
    for (let places = 0; places < 100; places += 1) await at.place();
    expect(at.time()).toBe(0);
    expect(at.placeAtOnce()).toBeNull();
    at.giveBack();
    expect(at.placeAtOnce()).toEqual({});
  });

  it('so other work waits until it has been quiet for a moment', async () => {
    const at = stage();
    await at.contain();
    expect(at.placeAtOnce()).toBeNull();
    await at.place();
    expect(at.time()).toBe(250);
  });

  it('and after a storm for longer', async () => {
    const at = stage();
    for (let times = 0; times < 12; times += 1) await at.contain();
    await at.place();
    expect(at.time()).toBe(1_500);
  });

  it('but not for ever, so that nothing starves', async () => {
    const at = stage();
    void at.contain(never);
    await at.place();
    expect(at.time()).toBe(10_000);
  });

  it('also after a containment that failed', async () => {
    const at = stage();
    await expect(at.contain(async () => await Promise.reject(new Error('away')))).rejects.toThrow('away');
    await at.place();
    expect(at.time()).toBe(250);
  });

  it('and whoever waits for a place may go away', async () => {
    const at = stage();
    void at.contain(never);
    const gone = new AbortController();
    const waiting = at.place(gone.signal);
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('and other work is not taken for containment', async () => {
    const at = stage();
    await at.work();
    await at.place();
    expect(at.time()).toBe(0);
  });
});
