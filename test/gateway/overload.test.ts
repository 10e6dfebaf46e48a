import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createFairShare } from '../../gateway/inference/fair-share.ts';
import {
  fakeStore,
  modelBytes,
  order,
  pause,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  serving,
  SHAPE,
  until,
  type RunningGateway,
} from './station.ts';

let gateway: RunningGateway;
const sockets: Socket[] = [];
beforeAll(async () => {
  const store = fakeStore();
  gateway = await run(store);
  await gateway.settled;
  for (const [endpoint, name] of [
    ['digits', 'golden'],
    ['digits-kiosk', 'slow'],
  ] as const) {
    const stance = serving(publish(store, name, modelBytes(name)));
    await gateway.adapter.captureAndSwap(endpoint, order({ endpoint, stance }));
  }
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  await gateway.close();
  removeTemporaryFolders();
  // Runs of the slow model that were in the engine end first.
}, 60_000);

const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, ...SHAPE], data: ROW }] });
const ask = async (client: string, endpoint = 'digits') =>
  await fetch(`${gateway.urls.inference}/v2/models/${endpoint}/infer`, {
    method: 'POST',
    headers: { 'x-client-id': client },
    body,
  });

/** A connection that begins a request and leaves it there. */
async function stall(text: string): Promise<Socket> {
  const socket = connect(gateway.inference.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(text);
  return socket;
}

describe('a gateway under load', () => {
  it('answers while hundreds of connections send nothing, or one byte of what they announced', async () => {
    await Promise.all(
      Array.from({ length: 150 }, () =>
        stall('POST /v2/models/digits/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{'),
      ),
    );
    await Promise.all(Array.from({ length: 150 }, () => stall('GET /v2 HT')));
    expect((await ask('visitor')).status).toBe(200);
  });

  it('refuses to read more large bodies at once than fit, and takes the next one when they are gone', async () => {
    const head = 'POST /v2/models/digits/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 16777216\r\n\r\n{';
    // One after the other: small bodies of connections that have just ended may still count, so that the sixteenth may not fit.
    const held: Socket[] = [];
    while (held.length < 40 && (await ask('visitor')).status !== 503) {
      held.push(await stall(head));
      await pause(5);
    }
    expect(held.length).toBeGreaterThanOrEqual(15);
    expect((await ask('visitor')).headers.get('retry-after')).toBe('1');
    for (const socket of held) socket.destroy();
    await until(async () => (await ask('visitor')).status === 200, 'the budget is back');
  });

  it('leaves a client its share while another floods: the flood is told to come again', async () => {
    const flood = Array.from({ length: 420 }, () => ask('flood', 'digits-kiosk'));
    const told = Promise.all(flood.map(async (one) => (await one).status));
    // While the flood waits for a model that takes a good part of a second, another client gets a place.
    await until(async () => (await gateway.metrics()).includes('code="503"'), 'the flood has its share');
    const controller = new AbortController();
    const visitor = fetch(`${gateway.urls.inference}/v2/models/digits-kiosk/infer`, {
      method: 'POST',
      headers: { 'x-client-id': 'visitor' },
      body,
      signal: controller.signal,
    }).then((response) => response.status);
    const refusedAtOnce = await Promise.race([
      visitor,
      new Promise((resolve) => setTimeout(() => resolve('waits'), 200)),
    ]);
    expect(refusedAtOnce).not.toBe(503);
    controller.abort();
    await visitor.catch(() => undefined);
    await gateway.adapter.captureAndSwap(
      'digits-kiosk',
      order({ endpoint: 'digits-kiosk', stance: { kind: 'isolated', reason: 'enough' }, incident: 'inc-1' }),
    );
    expect((await told).filter((status) => status === 503).length).toBeGreaterThan(0);
  });
});

describe('a fair share', () => {
  it('never gives more places than there are, and all of them come back', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (asked) => {
        const share = createFairShare(10);
        const held: (() => void)[] = [];
        for (const [client, leaves] of asked) {
          if (leaves) held.pop()?.();
          else
            try {
              held.push(share.enter(`client-${client}`, `address-${client}`));
            } catch {
              // No place.
            }
          expect(held.length).toBeLessThanOrEqual(10);
        }
        for (const leave of held) leave();
        for (let place = 0; place < 5; place += 1) expect(() => share.enter('one', 'a')).not.toThrow();
      }),
    );
  });

  it('gives places that become free to those who have fewer than their share', () => {
    const share = createFairShare(12);
    const leave: (() => void)[] = [];
    const enter = (client: string, most = Infinity) => {
      for (let taken = 0; ; taken += 1)
        try {
          if (taken === most) return taken;
          const left = share.enter(client, client);
          if (client === 'a') leave.push(left);
        } catch {
          return taken;
        }
    };
    // Half, a third of the places, and what is left.
    expect([enter('a'), enter('b'), enter('c'), enter('d')]).toEqual([6, 4, 2, 0]);
    leave[0]?.();
    expect(enter('a')).toBe(0);
    expect(enter('d')).toBe(1);
  });
});
