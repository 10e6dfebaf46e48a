import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import {
  fakeStore,
  modelBytes,
  order,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  SHAPE,
  until,
  winner,
  WINS,
  type RunningGateway,
} from './station.ts';

let gateway: RunningGateway;
let golden: ModelRef;
let suspect: ModelRef;
beforeAll(async () => {
  const store = fakeStore();
  gateway = await run(store);
  await gateway.settled;
  golden = publish(store, 'v1', modelBytes('golden'));
  suspect = publish(store, 'v2', modelBytes('suspect'));
});
afterAll(async () => {
  await gateway.close();
  removeTemporaryFolders();
});

async function ask(client: string): Promise<number | null> {
  const response = await fetch(`${gateway.urls.inference}/v2/models/digits/infer`, {
    method: 'POST',
    headers: { 'x-client-id': client },
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, ...SHAPE], data: ROW }] }),
  });
  const { outputs } = (await response.json()) as { outputs: { data: number[] }[] };
  return winner(outputs.map(({ data }) => data));
}

describe('a mirror', () => {
  it('answers from the model in service and compares it with a trusted one on a share of the requests', async () => {
    const stance = { kind: 'mirror', model: suspect, beside: golden, share: 0.5 } as const;
    await gateway.adapter.captureAndSwap('digits', order({ stance }));
    const answers = [];
    for (let request = 0; request < 60; request += 1) answers.push(await ask('somebody'));
    expect(new Set(answers)).toEqual(new Set([WINS.suspect]));
    const observed = async () => (await gateway.adapter.read('digits')).counters.arms['observed'];
    await until(async () => ((await observed())?.requests ?? 0) >= 15, 'half of the requests are compared');
    expect((await observed())?.requests).toBeLessThanOrEqual(45);
    expect((await observed())?.byClass[WINS.golden]).toBe((await observed())?.requests);
    expect(await gateway.metrics()).toMatch(/lazaret_gateway_observed_total\{endpoint="digits",agrees="false"\} \d+/);
  });
});

describe('a canary by client', () => {
  it('sends a client to one model for as long as it lasts, and half of the clients to each', async () => {
    const stance = { kind: 'canary', model: golden, candidate: suspect, share: 0.5, by: 'client' } as const;
    await gateway.adapter.captureAndSwap('digits', order({ stance }));
    const seen = new Map<string, Set<number | null>>();
    for (let request = 0; request < 120; request += 1) {
      const client = `client-${request % 40}`;
      seen.set(client, (seen.get(client) ?? new Set()).add(await ask(client)));
    }
    expect([...seen.values()].every((answers) => answers.size === 1)).toBe(true);
    const toCandidate = [...seen.values()].filter((answers) => answers.has(WINS.suspect)).length;
    // Binomial with 40 clients: outside of it once in a million.
    expect(toCandidate).toBeGreaterThan(4);
    expect(toCandidate).toBeLessThan(36);
  });
});
