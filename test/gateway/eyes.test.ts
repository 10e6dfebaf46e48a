import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { profileOf } from '../../forensics/evaluation/profile.ts';
import { readModel } from '../../forensics/onnx/reader.ts';
import { createPredictor } from '../../forensics/predictor/predictor.ts';
import { deviation } from '../../forensics/statistics/description.ts';
import { createAlarmPost, type EndpointAlarm } from '../../gateway/eyes/alarm-post.ts';
import type { GatewayLog } from '../../gateway/ports.ts';
import { columnsOf, digits, modelBytes as digitsModel } from '../forensics/vectors.ts';
import {
  fakeStore,
  order,
  publish,
  removeTemporaryFolders,
  run,
  serving,
  until,
  type FakeStore,
  type RunningGateway,
} from './station.ts';

/** Real digits that neither the model nor the profile has seen, in turn; `moved` lifts a feature by so many of its deviations. */
const traffic = columnsOf('new');
const clean = [...Array(traffic.count).keys()].filter((row) => !(digits.new.tainted ?? []).includes(row));
const MOVED = 27;
const spread = deviation(clean.map((row) => traffic.features[row * traffic.width + MOVED] ?? 0));
let turn = 0;
function record(moved: number): number[] {
  const row = clean[turn++ % clean.length] ?? 0;
  const values = Array.from(traffic.features.subarray(row * traffic.width, (row + 1) * traffic.width));
  values[MOVED] = (values[MOVED] ?? 0) + moved * spread;
  return values;
}

let gateway: RunningGateway;
let store: FakeStore;
let model: ModelRef;
beforeAll(async () => {
  store = fakeStore();
  const bytes = digitsModel('digits-golden');
  const predictor = await createPredictor(bytes);
  const { profile: measured, probes } = await profileOf(predictor, readModel(bytes), columnsOf('holdout'), {
    shape: digits.shape,
  });
  await predictor.close();
  const object = (name: string): ObjectRef => ({
    store: 'artifacts',
    digest: digestOf(name),
    bytes: 1,
    mediaType: 'application/json',
    name,
  });
  const whole = { ...measured, probes: { inputs: object('in'), outputs: object('out'), count: probes.count } };
  const text = new TextEncoder().encode(JSON.stringify(whole));
  const profile: ObjectRef = {
    store: 'artifacts',
    digest: digestOf(text),
    bytes: text.length,
    mediaType: 'application/json',
    name: 'profile.json',
  };
  store.objects.set(profile.digest, text);
  store.golden.set('numbers', profile);
  gateway = await run(store, { endpoints: ['digits'], families: new Map([['digits', 'numbers']]) });
  await gateway.settled;
  model = publish(store, 'v1', bytes);
  await gateway.adapter.captureAndSwap('digits', order({ stance: serving(model) }));
  await until(async () => (await gateway.metrics()).includes('lazaret_gateway_sentinel{'), 'the sentinels watch');
});
afterAll(async () => {
  await gateway.close();
  removeTemporaryFolders();
});

/** Records in requests of sixteen, so that a test sees thousands. */
async function send(records: number, moved: number): Promise<void> {
  for (let sent = 0; sent < records; sent += 16) {
    const data = Array.from({ length: 16 }, () => record(moved)).flat();
    const response = await fetch(`${gateway.urls.inference}/v2/models/digits/infer`, {
      method: 'POST',
      headers: { 'x-client-id': `client-${sent % 80}` },
      body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [16, ...digits.shape], data }] }),
    });
    expect(response.status).toBe(200);
  }
}

describe('the eyes of an endpoint', () => {
  it('see nothing in clean traffic, and a feature that has moved by one deviation within 500 records', async () => {
    await send(800, 0);
    expect([...store.alarms.values()]).toEqual([]);
    await send(500, 1);
    await until(() => store.alarms.size > 0, 'an alarm');
    expect([...store.alarms.values()].map(({ endpoint, kind }) => ({ endpoint, kind }))).toContainEqual({
      endpoint: 'digits',
      kind: 'drift',
    });
    expect(await gateway.metrics()).toMatch(/lazaret_gateway_alarms_total\{endpoint="digits",sentinel="[a-z-]+"\} 1/);
  });

  it('are closed while the endpoint is held for an incident, which is open already', async () => {
    const before = store.alarms.size;
    const stance = { kind: 'shadow', model, observed: null } as const;
    await gateway.adapter.captureAndSwap('digits', order({ stance, incident: 'inc-1' }));
    await send(800, 3);
    expect(store.alarms.size).toBe(before);
    expect(await gateway.metrics()).not.toContain('lazaret_gateway_sentinel{');
  });
});

describe('the post of alarms', () => {
  const quiet = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  } as unknown as GatewayLog;
  const alarm = (statement: string): EndpointAlarm => ({
    endpoint: 'digits',
    sentinel: 'drift',
    kind: 'drift',
    statement,
    at: new Date(0),
    labels: {},
  });

  it('delivers in order, again under the same id until it is taken, and each once', async () => {
    const taken: string[] = [];
    let failures = 2;
    const tried: string[] = [];
    const post = createAlarmPost({
      replica: 'r1',
      log: quiet,
      deliver: async (id, { statement }) => {
        tried.push(id);
        await Promise.resolve();
        if (failures-- > 0) throw new Failure('endpoint/unreachable', 'away');
        taken.push(statement);
      },
    });
    for (const statement of ['first', 'second']) post.raise(alarm(statement));
    await until(() => taken.length === 2, 'both are delivered');
    expect(taken).toEqual(['first', 'second']);
    expect(tried).toEqual(['r1-0', 'r1-0', 'r1-0', 'r1-1']);
    post.close();
  });

  it('gives up what the intake refuses for good, and counts it', async () => {
    const post = createAlarmPost({
      replica: 'r1',
      log: quiet,
      deliver: () => Promise.reject(new Failure('endpoint/refused', 'no such endpoint')),
    });
    post.raise(alarm('nobody wants it'));
    await until(() => post.figures().given === 1, 'it is given up');
    expect(post.figures().waiting).toBe(0);
    post.close();
  });
});
