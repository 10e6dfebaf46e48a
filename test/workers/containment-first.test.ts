import { describe, expect, it } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { createContainmentFirst } from '../../workers/containment-first.ts';

/** A clock that goes on only while somebody sleeps. */
function stage() {
  let time = 0;
  let beats = 0;
  const factory = createContainmentFirst(() => time);
  const context = (activityType: string, isLocal: boolean): Context => {
    const fake = {
      info: { activityType, isLocal },
      heartbeat: () => void (beats += 1),
      sleep: async (ms: number) => {
        time += ms;
        await Promise.resolve();
      },
    };
    // The edge to the SDK: only these members are used.
    return fake as unknown as Context;
  };
  const run = async (activityType: string, isLocal: boolean, body: () => Promise<unknown>): Promise<unknown> => {
    const execute = factory(context(activityType, isLocal)).inbound?.execute;
    if (!execute) throw new Error('nothing is intercepted');
    return await execute({ args: [], headers: {} }, body);
  };
  return { run, time: () => time, beats: () => beats };
}

const done = async (): Promise<string> => await Promise.resolve('done');
const never = async (): Promise<never> => await new Promise<never>(() => {});

describe('containment comes first', () => {
  it('and nothing waits where nothing is being contained', async () => {
    const at = stage();
    expect(await at.run('analyse', false, done)).toBe('done');
    expect(at.time()).toBe(0);
  });

  it('so other work begins when it has been quiet for a moment', async () => {
    const at = stage();
    await at.run('captureAndSwap', true, done);
    await at.run('analyse', false, done);
    expect(at.time()).toBe(250);
    expect(at.beats()).toBe(1);
  });

  it('but work is not kept waiting for ever', async () => {
    const at = stage();
    void at.run('captureAndSwap', true, never);
    expect(await at.run('analyse', false, done)).toBe('done');
    expect(at.time()).toBe(20_000);
  });

  it('and what takes or publishes a stance waits for nothing', async () => {
    const at = stage();
    void at.run('brief', true, never);
    for (const name of ['captureAndSwap', 'publishContainment', 'publishStance', 'takeStance'])
      await at.run(name, false, done);
    expect(at.time()).toBe(0);
  });

  it('also after a containment that failed', async () => {
    const at = stage();
    const failed = at.run('captureAndSwap', true, async () => await Promise.reject(new Error('away')));
    await expect(failed).rejects.toThrow('away');
    await at.run('analyse', false, done);
    expect(at.time()).toBe(250);
  });
});
