import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { LoggedInference } from '../../domain/contracts/request-log.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { findInferences, type LogQuestion } from '../../evidence/request-log/find.ts';
import { openRequestLog, type RequestLog, type RequestLogOptions } from '../../gateway/log/request-log.ts';
import { openSegment } from '../../gateway/log/segment.ts';
import type { GatewayLog } from '../../gateway/ports.ts';
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
  temporaryFolder,
  until,
  WINS,
} from './station.ts';

const open: RequestLog[] = [];
afterEach(async () => {
  for (const log of open.splice(0)) await log.close();
});
afterAll(removeTemporaryFolders);

const quiet = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
} as unknown as GatewayLog;
const START = Date.parse('2026-11-21T23:59:30Z');

/** S3 as far as the log needs it. */
function place() {
  const objects = new Map<string, Uint8Array>();
  const state = { away: false };
  return {
    objects,
    state,
    ship: async (key: string, bytes: Uint8Array) => {
      if (state.away) throw new Error('S3 is away');
      objects.set(key, bytes);
      await Promise.resolve();
    },
    store: {
      listDocuments: async (prefix: string) =>
        await Promise.resolve(
          new Map(
            [...objects.keys()]
              .filter((key) => key.startsWith(prefix))
              .sort()
              .map((key) => [key, key]),
          ),
        ),
      readDocument: async (key: string) => {
        const bytes = objects.get(key);
        return await Promise.resolve(bytes ? { bytes, etag: key } : null);
      },
    },
  };
}

async function logTo(at: ReturnType<typeof place>, about: Partial<RequestLogOptions> = {}) {
  const clock = { now: START };
  const folder = about.folder ?? temporaryFolder();
  const log = await openRequestLog({
    endpoint: 'digits',
    replica: 'aaaaaaaa-1',
    folder,
    ship: at.ship,
    maxBytes: 1024 * 1024,
    log: quiet,
    now: () => new Date(clock.now),
    ...about,
  });
  open.push(log);
  return { log, clock, folder };
}

function inference(number: number, about: Partial<LoggedInference> = {}): LoggedInference {
  return {
    at: new Date(START + 1000 * number).toISOString(),
    id: `request-${number}`,
    client: number % 3 === 0 ? 'scraper' : 'visitor',
    address: '127.0.0.1',
    model: digestOf('model'),
    stance: 'serving',
    arm: 'live',
    input: digestOf(`input ${number}`),
    rows: 1,
    top: [[number % 10, 0.9]],
    latencyUs: 120,
    ...about,
  };
}

const question: LogQuestion = { endpoint: 'digits', from: START - 1000, to: START + 1e6, most: 10_000 };

describe('the request log', () => {
  it('is found again by time, client and digest, over midnight', async () => {
    const s3 = place();
    const { log } = await logTo(s3);
    for (let number = 0; number < 90; number += 1) log.answered(inference(number));
    await log.close();
    const found = async (about: Partial<LogQuestion>) =>
      (await findInferences(s3.store, { ...question, ...about })).inferences.map(({ id }) => id);
    expect(await found({})).toHaveLength(90);
    expect(await found({ client: 'scraper' })).toHaveLength(30);
    expect(await found({ client: '127.0.0.1' })).toHaveLength(90);
    expect(await found({ digest: digestOf('input 7') })).toEqual(['request-7']);
    expect(await found({ digest: digestOf('model') })).toHaveLength(90);
    expect(await found({ from: START + 10_000, to: START + 12_000 })).toEqual([
      'request-10',
      'request-11',
      'request-12',
    ]);
    expect(await findInferences(s3.store, { ...question, most: 5 })).toMatchObject({ cut: true, gaps: [], lost: 0 });
  });

  it('is cut into segments that name each other, so that one that is missing or changed shows', async () => {
    const s3 = place();
    const { log } = await logTo(s3, { segmentBytes: 2000 });
    for (let part = 0; part < 4; part += 1) {
      for (let number = 0; number < 10; number += 1) log.answered(inference(10 * part + number));
      await until(() => s3.objects.size > part, 'the segment is shipped');
    }
    await log.close();
    const keys = [...s3.objects.keys()].sort();
    expect(keys.length).toBeGreaterThanOrEqual(4);
    expect(await findInferences(s3.store, question)).toMatchObject({ gaps: [], segments: keys.length });
    const [, second = '', third = ''] = keys;
    const bytes = s3.objects.get(second) ?? new Uint8Array();
    s3.objects.delete(second);
    expect((await findInferences(s3.store, question)).gaps).toEqual([expect.stringContaining(third)]);
    s3.objects.set(second, bytes.slice(0, -4));
    expect((await findInferences(s3.store, question)).gaps).toHaveLength(2);
  });

  it('counts what was refused in one line, however many there were', async () => {
    const s3 = place();
    const { log } = await logTo(s3);
    for (let refusal = 0; refusal < 10_000; refusal += 1) log.refused(503);
    log.answered(inference(0));
    await log.close();
    const [bytes] = s3.objects.values();
    const lines = gunzipSync(bytes ?? new Uint8Array())
      .toString()
      .trim()
      .split('\n');
    expect(lines).toHaveLength(3);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ refused: { 503: 10_000 } }),
    );
  });

  it('keeps segments while S3 is away, and ships them when it is back', async () => {
    const s3 = place();
    s3.state.away = true;
    const { log, clock } = await logTo(s3, { segmentBytes: 500 });
    for (let number = 0; number < 10; number += 1) log.answered(inference(number));
    await until(() => log.figures().waitingSegments > 0, 'a segment waits');
    s3.state.away = false;
    clock.now += 10_000;
    await until(() => log.figures().waitingSegments === 0, 'it is shipped');
    await log.close();
    expect((await findInferences(s3.store, question)).inferences).toHaveLength(10);
  });

  it('gives up the oldest when its share of the disk is full, and says how many lines that were', async () => {
    const s3 = place();
    s3.state.away = true;
    const { log, clock, folder } = await logTo(s3, { segmentBytes: 500, maxBytes: 1500 });
    for (let part = 0; part < 12; part += 1) {
      const before = readdirSync(folder).filter((name) => name.endsWith('.gz')).length + log.figures().lost;
      for (let number = 0; number < 10; number += 1) log.answered(inference(10 * part + number));
      await until(
        () => readdirSync(folder).filter((name) => name.endsWith('.gz')).length + log.figures().lost !== before,
        'the segment is closed',
      );
    }
    expect(log.figures().waitingBytes).toBeLessThanOrEqual(1500);
    expect(log.figures().lost).toBeGreaterThan(0);
    s3.state.away = false;
    clock.now += 10_000;
    log.answered(inference(500));
    await log.close();
    const found = await findInferences(s3.store, question);
    expect(found.inferences.length + log.figures().lost).toBe(121);
    // The last header tells of what was lost before it.
    expect(found.lost).toBe(log.figures().lost);
    expect(found.gaps.length).toBeLessThanOrEqual(1);
  });

  it('ships what a killed process left behind, but for a line that was cut off', async () => {
    const s3 = place();
    const folder = temporaryFolder();
    const left = await openSegment(folder, {
      schema: 'lazaret.request-log/v1',
      endpoint: 'digits',
      replica: 'bbbbbbbb-2',
      seq: 0,
      previous: null,
      from: new Date(START).toISOString(),
      lost: 0,
    });
    left.append(JSON.stringify(inference(1)));
    await left.flush();
    appendFileSync(left.path, JSON.stringify(inference(2)).slice(0, 40));
    writeFileSync(join(folder, 'x.ndjson.gz.tmp'), 'half');
    const { log } = await logTo(s3, { folder });
    await log.close();
    expect((await findInferences(s3.store, question)).inferences.map(({ id }) => id)).toEqual(['request-1']);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not let a slow disk fill the memory: lines beyond what may wait are not taken', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const header = {
      schema: 'lazaret.request-log/v1',
      endpoint: 'digits',
      replica: 'cccccccc-3',
      seq: 0,
      previous: null,
      from: new Date(START).toISOString(),
      lost: 0,
    } as const;
    const segment = await openSegment(folder, header, 100);
    expect([segment.append('x'.repeat(60)), segment.append('y'.repeat(60))]).toEqual([true, false]);
    await segment.close();
    expect(existsSync(segment.path)).toBe(true);
    expect(readFileSync(segment.path, 'utf8').split('\n')).toHaveLength(3);
  });
});

describe('a gateway', () => {
  it('accounts for every inference: answered ones one by one, refused ones by their number', async () => {
    const store = fakeStore();
    const gateway = await run(store, { endpoints: ['digits'], logPayloads: 1 });
    await gateway.settled;
    const model = publish(store, 'v1', modelBytes('golden'));
    await gateway.adapter.captureAndSwap('digits', order({ stance: serving(model) }));
    const ask = async (data: unknown, client: string) =>
      await fetch(`${gateway.urls.inference}/v2/models/digits/infer`, {
        method: 'POST',
        headers: { 'x-client-id': client },
        body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, ...SHAPE], data }] }),
      });
    for (let request = 0; request < 20; request += 1) await ask(ROW, request % 4 === 0 ? 'scraper' : 'visitor');
    for (let request = 0; request < 7; request += 1) await ask(['no number'], 'visitor');
    await gateway.close();
    const keys = [...store.log.keys()];
    const reader = {
      listDocuments: async (prefix: string) =>
        await Promise.resolve(new Map(keys.filter((key) => key.startsWith(prefix)).map((key) => [key, key]))),
      readDocument: async (key: string) =>
        await Promise.resolve({ bytes: store.log.get(key) ?? new Uint8Array(), etag: key }),
    };
    const asked = { endpoint: 'digits', from: Date.now() - 60_000, to: Date.now(), most: 100 };
    const all = await findInferences(reader, asked);
    expect(all).toMatchObject({ gaps: [], lost: 0 });
    expect(all.inferences).toHaveLength(20);
    expect((await findInferences(reader, { ...asked, client: 'scraper' })).inferences).toHaveLength(5);
    expect(all.inferences[0]).toMatchObject({
      model: model.artifact.digest,
      stance: 'serving',
      arm: 'live',
      address: '127.0.0.1',
      input: digestOf(new Uint8Array(Float32Array.from(ROW).buffer)),
      rows: 1,
      top: [[WINS.golden, 1]],
      payload: { inputs: [{ name: 'x', datatype: 'FP32' }] },
    });
    const refused = keys.flatMap((key) => {
      const text = gunzipSync(store.log.get(key) ?? new Uint8Array()).toString();
      return [...text.matchAll(/"refused":\{"400":(\d+)\}/g)].map(([, count]) => count);
    });
    expect(refused.reduce((sum, count) => sum + Number(count), 0)).toBe(7);
  });
});
