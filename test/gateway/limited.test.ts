import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { limitsSchema, type Limits, type ModelRef } from '../../domain/contracts/stance.ts';
import { createRates } from '../../gateway/stance/rates.ts';
import {
  fakeStore,
  modelBytes,
  order,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  serving,
  SHAPE,
  type FakeStore,
  type RunningGateway,
} from './station.ts';

let gateway: RunningGateway;
let store: FakeStore;
let model: ModelRef;
beforeAll(async () => {
  store = fakeStore();
  gateway = await run(store);
  await gateway.settled;
  model = publish(store, 'v1', modelBytes('golden'));
  await gateway.adapter.captureAndSwap('digits', order({ stance: serving(model) }));
});
afterAll(async () => {
  await gateway.close();
  removeTemporaryFolders();
});

const open: Partial<Limits> = { perClient: null, answers: 'full' };
const limit = (about: Partial<Limits>) =>
  gateway.adapter.captureAndSwap(
    'digits',
    order({ stance: { kind: 'limited', model, limits: limitsSchema.parse({ ...open, ...about }) }, incident: 'inc-1' }),
  );

async function ask(client: string, data: readonly number[] = ROW) {
  const response = await fetch(`${gateway.urls.inference}/v2/models/digits/infer`, {
    method: 'POST',
    headers: { 'x-client-id': client },
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, ...SHAPE], data }] }),
  });
  const body = (await response.json()) as { outputs?: { data: number[] }[]; detail?: string };
  return {
    status: response.status,
    after: response.headers.get('retry-after'),
    scores: body.outputs?.[0]?.data ?? [],
    ...body,
  };
}

describe('a limited endpoint', () => {
  let full: readonly number[];
  beforeEach(async () => {
    await limit({});
    full = (await ask('anyone')).scores;
    expect(full).toHaveLength(10);
  });

  it('gives a client its burst and then asks it to wait, without touching another client', async () => {
    await limit({ perClient: { perMinute: 6, burst: 3 } });
    const statuses = [];
    for (let request = 0; request < 5; request += 1) statuses.push(await ask('scraper'));
    expect(statuses.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
    expect(Number(statuses[4]?.after)).toBeGreaterThan(0);
    expect((await ask('somebody-else')).status).toBe(200);
    expect((await gateway.adapter.read('digits')).counters).toMatchObject({ requests: 4, refused: 2 });
  });

  it('holds a limit for all against a client with a new name for every request', async () => {
    await limit({ perClient: { perMinute: 60, burst: 10 }, total: { perMinute: 6, burst: 4 } });
    const statuses = [];
    for (let name = 0; name < 8; name += 1) statuses.push((await ask(`name-${name}`)).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
  });

  it('refuses a client that is blocked, by its name or its address', async () => {
    await limit({ blocked: ['scraper'] });
    expect((await ask('scraper')).status).toBe(403);
    expect((await ask('another')).status).toBe(200);
    await limit({ blocked: ['127.0.0.1'] });
    expect((await ask('another')).status).toBe(403);
  });

  it('tells of an answer no more than it is told to', async () => {
    const top = Math.max(...full);
    const winner = full.indexOf(top);
    await limit({ answers: 'label' });
    expect((await ask('one')).scores).toEqual(full.map((_, index) => Number(index === winner)));
    await limit({ answers: 'top-1' });
    const best = (await ask('one')).scores;
    expect(best.filter((score) => score !== 0)).toHaveLength(1);
    expect(best[winner]).toBeGreaterThan(0.99);
    await limit({ answers: 'rounded', digits: 1 });
    expect((await ask('one')).scores.every((score) => Math.abs(10 * score - Math.round(10 * score)) < 1e-3)).toBe(true);
  });

  it('refuses a record outside the values that are allowed, and says which', async () => {
    await limit({ features: [{ feature: 3, least: 0, most: 0.5 }] });
    expect((await ask('one')).status).toBe(200);
    const outside = await ask(
      'one',
      ROW.map((value, index) => (index === 3 ? 0.75 : value)),
    );
    expect(outside).toMatchObject({
      status: 429,
      detail: expect.stringContaining('feature 3: only values from 0 to 0.5'),
    });
  });

  it('keeps the whole answer in the captured window: what was held back from the client is evidence', async () => {
    await limit({ answers: 'label' });
    await ask('one');
    const receipt = await limit({});
    const lines = new TextDecoder()
      .decode(await gateway.adapter.window(receipt))
      .trim()
      .split('\n');
    const last = JSON.parse(lines.at(-1) ?? '{}') as { output: { raw: string } };
    const bytes = Buffer.from(last.output.raw, 'base64');
    expect(Array.from({ length: 10 }, (_, index) => bytes.readFloatLE(4 * index))).toEqual(full.map(Math.fround));
  });
});

describe('a rate', () => {
  it('never lets through more than its burst and what has grown back since', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 100 });
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 10 }),
        (pauses, perMinute, burst) => {
          const rates = createRates({ perMinute, burst });
          let now = 1_000_000;
          const start = now;
          let taken = 0;
          for (const pause of pauses) {
            now += pause;
            if (rates.take('a', now) === 0) taken += 1;
            expect(taken).toBeLessThanOrEqual(burst + ((now - start) * perMinute) / 60_000 + 1e-6);
          }
        },
      ),
    );
  });

  it('says how long to wait, and keeps that word', () => {
    const rates = createRates({ perMinute: 6, burst: 1 });
    expect(rates.take('a', 0)).toBe(0);
    const wait = rates.take('a', 100);
    expect(rates.take('a', 100 + wait - 1)).toBeGreaterThan(0);
    expect(rates.take('a', 100 + wait)).toBe(0);
  });

  it('remembers so many names and no more: the rest share one bucket', () => {
    const rates = createRates({ perMinute: 1, burst: 1 }, 10);
    const taken = Array.from({ length: 100 }, (_, name) => rates.take(`name-${name}`, 0)).filter((wait) => wait === 0);
    expect(taken.length).toBeLessThanOrEqual(11);
  });
});
