import { describe, expect, it } from '@jest/globals';
import { createPlatformAdapter } from '../../../clients/adapters/adapter.ts';
import type { Platform } from '../../../clients/adapters/platform.ts';
import { isolated, order } from '../../gateway/station.ts';
import { BOUND, ENDPOINT } from './conformance.ts';

/** A platform in memory whose proxies obey when they are told to, not when its API is. */
function lagging() {
  let state = { open: true };
  let record: string | null = null;
  let obeyed = true;
  let rivals = 0;
  const seen = { changes: 0, probes: 0 };
  const platform: Platform<{ open: boolean }> = {
    name: 'memory',
    captures: ['whether it is open'],
    stances: ['isolated'],
    look: () =>
      Promise.resolve({ state, words: state.open ? 'open' : 'shut', captured: null, told: {}, record, mark: null }),
    towards: () => ({ open: false }),
    change: (_look, next, text) => {
      seen.changes += 1;
      if (rivals > 0) {
        rivals -= 1;
        return Promise.resolve('conflict');
      }
      state = next;
      record = text;
      return Promise.resolve('done');
    },
    probe: () => {
      seen.probes += 1;
      const refusing = obeyed && !state.open;
      return Promise.resolve({ behaviour: refusing ? 'refusing' : 'answering', text: refusing ? '503' : 'answers' });
    },
  };
  return {
    adapter: createPlatformAdapter(platform, { ...BOUND, confirmMs: 250 }),
    seen,
    /** Do the proxies do what the API says? */
    obey: (now: boolean) => void (obeyed = now),
    /** So many times somebody else is quicker. */
    compete: (times: number) => void (rivals = times),
    open: () => state.open,
  };
}

const token = order({ stance: isolated, incident: 'inc-1' });

describe('an isolation elsewhere', () => {
  it('is confirmed by a probe, not by the word of the API: unconfirmed while clients are still answered', async () => {
    const platform = lagging();
    platform.obey(false);
    const first = platform.adapter.captureAndSwap(ENDPOINT, token);
    await expect(first).rejects.toMatchObject({ code: 'endpoint/unreachable', retryable: true });
    await expect(first).rejects.toThrow('a probe says: answers');
    expect(platform.open()).toBe(false);
    platform.obey(true);
    const receipt = await platform.adapter.captureAndSwap(ENDPOINT, token);
    expect(receipt).toMatchObject({ before: { stance: { words: 'open' } }, after: { stance: isolated } });
    expect(platform.seen.changes).toBe(1);
  });

  it('waits for proxies that follow a little later', async () => {
    const platform = lagging();
    platform.obey(false);
    setTimeout(() => platform.obey(true), 120);
    await platform.adapter.captureAndSwap(ENDPOINT, token);
    expect(platform.seen.probes).toBeGreaterThan(1);
  });

  it('is tried again where somebody else was quicker, and given up for now where they always are', async () => {
    const platform = lagging();
    platform.compete(3);
    await platform.adapter.captureAndSwap(ENDPOINT, token);
    expect(platform.seen.changes).toBe(4);
    const busy = lagging();
    busy.compete(1_000);
    await expect(busy.adapter.captureAndSwap(ENDPOINT, token)).rejects.toMatchObject({ code: 'endpoint/unreachable' });
    expect(busy.seen.changes).toBeLessThan(20);
  });
});
