import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loggedRequestSchema, type LoggedRequest } from '../../domain/contracts/gateway.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import {
  fakeStore,
  isolated,
  modelBytes,
  order,
  pause,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  serving,
  shadow,
  SHAPE,
  until,
  winner,
  WINS,
  type FakeStore,
  type RunningGateway,
} from './station.ts';

let store: FakeStore;
let gateway: RunningGateway;
const ask = (id?: string) => gateway.client.infer('digits', [ROW], SHAPE, id);
const push = (token: string) => gateway.adapter.captureAndSwap('digits', token);
const contain = (stance: Parameters<typeof order>[0]['stance']) => push(order({ stance, incident: 'inc-1' }));

beforeEach(async () => {
  store = fakeStore();
  gateway = await run(store);
  await gateway.settled;
});
afterEach(() => gateway.close());
afterAll(removeTemporaryFolders);

/** Clients that ask without a pause until stopped; each answer with the moment its request was sent. */
function crowd(size: number): {
  seen: readonly { sent: number; status: number; version: string | null }[];
  stop(): Promise<{ sent: number; status: number; version: string | null }[]>;
} {
  let over = false;
  const seen: { sent: number; status: number; version: string | null }[] = [];
  const visitor = async () => {
    while (!over) {
      const sent = performance.now();
      const reply = await ask();
      seen.push({ sent, status: reply.status, version: reply.modelVersion });
    }
  };
  const visitors = Array.from({ length: size }, visitor);
  return {
    seen,
    async stop() {
      over = true;
      await Promise.all(visitors);
      return seen;
    },
  };
}

describe('containment', () => {
  it('under load, lets no answer of the old model out after it is acknowledged', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const golden = publish(store, 'golden', modelBytes('golden'));
    await push(order({ stance: serving(suspect, golden) }));
    const visitors = crowd(16);
    await until(() => visitors.seen.length > 50, 'visitors are answered');
    const receipt = await contain(shadow(golden));
    const acknowledged = performance.now();
    await until(() => visitors.seen.filter(({ sent }) => sent >= acknowledged).length > 50, 'and after it as well');
    const seen = await visitors.stop();

    const before = seen.filter((one) => one.sent < acknowledged);
    const after = seen.filter((one) => one.sent >= acknowledged);
    expect(before.filter((one) => one.version === 'suspect').length).toBeGreaterThan(10);
    expect(after.length).toBeGreaterThan(10);
    expect(after.every((one) => one.status === 200 && one.version === 'golden')).toBe(true);
    expect(receipt.after.stance.kind).toBe('shadow');
    // The server's own count since the swap: requests that were running at the swap went to the shadow, too.
    const { counters } = await gateway.adapter.read('digits');
    expect(Object.keys(counters.arms)).toEqual(['shadow']);
    expect(counters.arms['shadow']?.byClass[WINS.golden]).toBe(counters.requests);
  });

  it('does not wait for inference, and drops what the old model was still working on', async () => {
    const slow = publish(store, 'slow', modelBytes('slow'));
    await push(order({ stance: serving(slow) }));
    const running = [ask(), ask(), ask(), ask()];
    await pause(150);
    const started = performance.now();
    await contain(isolated);
    expect(performance.now() - started).toBeLessThan(400);
    const replies = await Promise.all(running);
    expect(replies.map((reply) => reply.status)).toEqual([503, 503, 503, 503]);
  });

  it('answers what was running from the shadow that took over', async () => {
    const slow = publish(store, 'slow', modelBytes('slow'));
    const golden = publish(store, 'golden', modelBytes('golden'));
    await push(order({ stance: serving(slow, golden) }));
    const running = [ask(), ask()];
    await pause(100);
    await contain(shadow(golden));
    const replies = await Promise.all(running);
    expect(replies.map((reply) => [reply.status, reply.modelVersion, winner(reply.scores)])).toEqual([
      [200, 'golden', WINS.golden],
      [200, 'golden', WINS.golden],
    ]);
  });

  it('isolates at once while the shadow is fetched slowly, and lets it answer when it is there', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    await push(order({ stance: serving(suspect) }));
    const golden = publish(store, 'golden', modelBytes('golden'));
    store.delayMs = 400;
    const started = performance.now();
    const receipt = await contain(shadow(golden));
    expect(performance.now() - started).toBeLessThan(350);
    expect(receipt.after.stance.kind).toBe('isolated');
    expect((await ask()).status).toBe(503);
    await until(async () => (await ask()).modelVersion === 'golden', 'the shadow answers');
    expect((await gateway.adapter.read('digits')).stance.kind).toBe('shadow');
  });

  it('is not held up by a deployment that is loading, and the deployment does not come after it', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    await push(order({ stance: serving(suspect) }));
    const next = publish(store, 'next', modelBytes('golden'));
    store.delayMs = 500;
    const deploying = push(order({ stance: serving(next) })).then(
      () => 'obeyed',
      (error: unknown) => String(error),
    );
    await pause(50);
    const started = performance.now();
    await contain(isolated);
    expect(performance.now() - started).toBeLessThan(400);
    expect(await deploying).toMatch(/not newer/);
    expect((await ask()).status).toBe(503);
  });

  it('holds in memory even where nothing can be loaded or fetched', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const golden = publish(store, 'golden', modelBytes('golden'));
    await push(order({ stance: serving(suspect) }));
    store.away = true;
    expect((await contain(shadow(golden))).after.stance.kind).toBe('isolated');
    await pause(150);
    expect((await ask()).status).toBe(503);
    store.away = false;
    await until(async () => (await ask()).modelVersion === 'golden', 'the shadow answers when S3 is back');
  });

  it('answers by rules in the stance fallback, and isolates where the rules could leave a request without an answer', async () => {
    const when = { feature: 0, op: '>' as const, value: 0.5 };
    const rules = [
      { when, scores: [0, 1], reason: 'bright' },
      { when: null, scores: [1, 0], reason: 'otherwise' },
    ];
    await contain({ kind: 'fallback', rules });
    const reply = await gateway.client.infer(
      'digits',
      [
        [0.9, 0],
        [0.1, 0],
      ],
      [2],
    );
    expect(reply).toMatchObject({
      status: 200,
      scores: [
        [0, 1],
        [1, 0],
      ],
      modelVersion: 'fallback-rules',
    });
    const [first] = rules;
    const receipt = await contain({ kind: 'fallback', rules: [first!] });
    expect(receipt.after.stance.kind).toBe('isolated');
  });

  it('with the stance it has ("none") freezes the endpoint: it answers on, but only the incident may change it', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    const { after } = await push(order({ stance: serving(suspect) }));
    await push(order({ stance: after.stance, incident: 'inc-1' }));
    expect((await ask()).modelVersion).toBe('suspect');
    expect((await gateway.adapter.read('digits')).incident).toBe('inc-1');
  });

  it('of one endpoint leaves the others alone', async () => {
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    await push(order({ stance: serving(suspect) }));
    await gateway.adapter.captureAndSwap('digits-kiosk', order({ stance: serving(suspect), endpoint: 'digits-kiosk' }));
    await contain(isolated);
    expect((await ask()).status).toBe(503);
    expect((await gateway.client.infer('digits-kiosk', [ROW], SHAPE)).status).toBe(200);
  });
});

describe('the receipt', () => {
  const linesOf = (bytes: Uint8Array): LoggedRequest[] =>
    new TextDecoder()
      .decode(bytes)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => loggedRequestSchema.parse(JSON.parse(line)));

  it('tells what was there at the instant before the swap, with a window whose bytes have the digest it names', async () => {
    const bytes = modelBytes('suspect');
    const suspect = publish(store, 'suspect', bytes);
    await push(order({ stance: serving(suspect) }));
    for (let index = 0; index < 5; index += 1) await ask(`request-${index}`);
    const receipt = await contain(isolated);

    expect(receipt.before.stance).toEqual(serving(suspect));
    expect(receipt.before.counters.arms['live']).toMatchObject({ requests: 5, errors: 0 });
    expect(receipt.before.counters.arms['live']?.confidenceSum).toBeCloseTo(5, 3);
    expect(receipt.before.loaded[0]?.digest).toBe(digestOf(bytes));
    const window = await gateway.adapter.window(receipt);
    expect({ digest: digestOf(window), bytes: window.length }).toEqual({
      digest: receipt.window.digest,
      bytes: receipt.window.bytes,
    });
    const lines = linesOf(window);
    expect(lines.map((line) => [line.id, line.client, line.arm, line.model])).toEqual(
      Array.from({ length: 5 }, (_, index) => [`request-${index}`, 'visitor', 'live', suspect.artifact.digest]),
    );
    expect(lines[0]?.input).toEqual({ name: 'x', datatype: 'FP32', shape: [1, ...SHAPE], data: ROW });
    expect(lines[0]?.output.shape).toEqual([1, 10]);
    expect(receipt.window).toMatchObject({ requests: 5, from: lines[0]?.at, to: lines[4]?.at });
    expect(digestOf((await gateway.adapter.model(receipt, suspect.artifact.digest))!)).toBe(suspect.artifact.digest);
    expect(await gateway.adapter.model(receipt, digestOf('something else'))).toBeNull();
  });

  it('has the last requests only, as many as the window holds', async () => {
    await push(order({ stance: serving(publish(store, 'suspect', modelBytes('suspect'))) }));
    for (let index = 0; index < 60; index += 1) await ask(`r${index}`);
    const receipt = await contain(isolated);
    const ids = linesOf(await gateway.adapter.window(receipt)).map((line) => line.id);
    expect(ids).toEqual(Array.from({ length: 50 }, (_, index) => `r${index + 10}`));
  });

  it('is gone after the capture is deleted, and no path leads out of the captures', async () => {
    const receipt = await contain(isolated);
    const url = `${gateway.urls.admin}/admin/v1/captures/`;
    const headers = { authorization: 'Bearer a-credential-for-tests-0123456789abcdef' };
    expect((await fetch(`${url}${receipt.captureId}`, { headers })).status).toBe(200);
    expect((await fetch(`${url}..%2F..%2Fendpoints/window`, { headers })).status).toBe(404);
    await gateway.adapter.forget(receipt);
    await gateway.adapter.forget(receipt);
    expect((await fetch(`${url}${receipt.captureId}`, { headers })).status).toBe(404);
  });
});

describe('the other stances', () => {
  it('canary: the candidate answers its share, the same request id always by the same model', async () => {
    const golden = publish(store, 'golden', modelBytes('golden'));
    const repaired = publish(store, 'repaired', modelBytes('suspect'));
    await push(order({ stance: { kind: 'canary', model: golden, candidate: repaired, share: 0.5 } }));
    const versions = new Map<string, string | null>();
    for (let index = 0; index < 60; index += 1) versions.set(`r${index}`, (await ask(`r${index}`)).modelVersion);
    const share = [...versions.values()].filter((version) => version === 'repaired').length / 60;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.75);
    for (let index = 0; index < 10; index += 1)
      expect((await ask(`r${index}`)).modelVersion).toBe(versions.get(`r${index}`));
    const { counters } = await gateway.adapter.read('digits');
    expect(counters.arms['candidate']?.requests).toBeGreaterThan(15);
    expect(counters.arms['live']?.requests).toBeGreaterThan(15);
  });

  it('shadow with an observed model: only the trusted one is heard, the other is counted', async () => {
    const golden = publish(store, 'golden', modelBytes('golden'));
    const suspect = publish(store, 'suspect', modelBytes('suspect'));
    await push(order({ stance: serving(suspect, golden) }));
    await contain(shadow(golden, suspect));
    for (let index = 0; index < 8; index += 1) expect(winner((await ask()).scores)).toBe(WINS.golden);
    const observed = async () => (await gateway.adapter.read('digits')).counters.arms['observed'];
    await until(async () => (await observed())?.requests === 8, 'the observed model was asked 8 times');
    expect((await observed())?.byClass[WINS.suspect]).toBe(8);
    expect(await gateway.metrics()).toContain('lazaret_gateway_observed_total{endpoint="digits",agrees="false"} 8');
  });
});
