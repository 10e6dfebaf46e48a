import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readGatewayEnvironment } from '../../gateway/config.ts';
import {
  fakeStore,
  isolated,
  modelBytes,
  order,
  publish,
  removeTemporaryFolders,
  ROW,
  run,
  serving,
  SHAPE,
  TOKEN,
  type RunningGateway,
} from './station.ts';

let gateway: RunningGateway;
const good = { name: 'x', datatype: 'FP32', shape: [1, ...SHAPE], data: ROW };
const url = (path: string) => `${gateway.urls.inference}${path}`;
const get = async (path: string) => {
  const response = await fetch(url(path));
  return { status: response.status, body: (await response.json()) as unknown };
};
const post = (body: unknown, path = '/v2/models/digits/infer', headers: Record<string, string> = {}) =>
  fetch(url(path), { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

beforeAll(async () => {
  const store = fakeStore();
  gateway = await run(store);
  await gateway.settled;
  await gateway.adapter.captureAndSwap(
    'digits',
    order({ stance: serving(publish(store, 'v1', modelBytes('golden'))) }),
  );
});
afterAll(async () => {
  await gateway.close();
  removeTemporaryFolders();
});

describe('Open Inference Protocol v2', () => {
  it('tells about the server and its health', async () => {
    expect(await get('/v2')).toEqual({
      status: 200,
      body: { name: 'lazaret-gateway', version: 'test', extensions: ['binary_tensor_data', 'model_repository(index)'] },
    });
    expect(await get('/v2/health/live')).toEqual({ status: 200, body: { live: true } });
    expect((await get('/v2/health/ready')).status).toBe(200);
  });

  it('tells about a model, with and without its version', async () => {
    const body = {
      name: 'digits',
      versions: ['v1'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1, 8, 8] }],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 10] }],
    };
    expect(await get('/v2/models/digits')).toEqual({ status: 200, body });
    expect(await get('/v2/models/digits/versions/v1')).toEqual({ status: 200, body });
    expect((await get('/v2/models/digits/versions/v2')).status).toBe(404);
    expect(await get('/v2/models/digits/ready')).toEqual({ status: 200, body: { name: 'digits', ready: true } });
    expect((await get('/v2/models/digits-kiosk/ready')).status).toBe(503);
    expect((await get('/v2/models/nobody')).status).toBe(404);
  });

  it('answers flat and nested data alike, without a Content-Type, and returns the id', async () => {
    const nested = [[Array.from({ length: 8 }, (_, row) => ROW.slice(row * 8, row * 8 + 8))]];
    const replies = await Promise.all([
      post({ id: '42', inputs: [good], outputs: [{ name: 'logits' }] }),
      post({ id: '42', inputs: [{ ...good, data: nested }] }, '/v2/models/digits/versions/v1/infer'),
    ]);
    const [flat, deep] = (await Promise.all(replies.map((reply) => reply.json()))) as Record<string, unknown>[];
    expect(flat).toMatchObject({
      model_name: 'digits',
      model_version: 'v1',
      id: '42',
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [1, 10] }],
    });
    expect(deep).toEqual(flat);
    const named = (await (
      await post({ inputs: [good] }, undefined, { 'x-request-id': 'from-header' })
    ).json()) as unknown;
    expect(named).toMatchObject({ id: 'from-header' });
  });

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['text that is not JSON', 'inputs', /not JSON/],
    ['NaN', JSON.stringify({ inputs: [good] }).replace('[0,', '[NaN,'), /not JSON.*NaN/],
    ['nothing', '', /JSON body/],
    ['no inputs', { inputs: [] }, /inputs/],
    ['two inputs', { inputs: [good, good] }, /exactly one/],
    ['another input name', { inputs: [{ ...good, name: 'y' }] }, /expected "x"/],
    ['another datatype', { inputs: [{ ...good, datatype: 'INT64' }] }, /expected FP32, got INT64/],
    ['another shape', { inputs: [{ ...good, shape: [1, 64] }] }, /expected \[-1, 1, 8, 8\], got \[1, 64\]/],
    ['a negative dimension', { inputs: [{ ...good, shape: [-1, 1, 8, 8] }] }, /shape/],
    ['too few elements', { inputs: [{ ...good, data: ROW.slice(1) }] }, /holds 64 elements, got 63/],
    ['an enormous shape', { inputs: [{ ...good, shape: [1e15, 1, 8, 8] }] }, /elements/],
    ['ragged rows', { inputs: [{ ...good, data: [[[[1]]]] }] }, /nested arrays/],
    ['a text among the numbers', { inputs: [{ ...good, data: [...ROW.slice(1), '1'] }] }, /element 63.*number/],
    ['null among the numbers', { inputs: [{ ...good, data: [...ROW.slice(1), null] }] }, /element 63/],
    ['a number beyond FP32', { inputs: [{ ...good, data: [...ROW.slice(1), 1e39] }] }, /range of FP32/],
    ['an unknown output', { inputs: [good], outputs: [{ name: 'secrets' }] }, /not one of logits/],
    [
      'a size of bytes that are not there',
      { inputs: [{ ...good, data: undefined, parameters: { binary_data_size: 256 } }] },
      /0 bytes are left/,
    ],
  ];
  for (const [what, body, expected] of wrong) {
    it(`refuses ${what} with 400 and says what was expected`, async () => {
      const response = await post(body);
      const problem = (await response.json()) as { error: string; detail: string; status: number };
      expect(response.status).toBe(400);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(problem.error).toMatch(expected);
      expect(problem).toMatchObject({ status: 400, detail: problem.error });
    });
  }

  it('refuses an unknown model and version with 404, and too large a body with 413', async () => {
    expect((await post({ inputs: [good] }, '/v2/models/nobody/infer')).status).toBe(404);
    expect((await post({ inputs: [good] }, '/v2/models/digits/versions/v9/infer')).status).toBe(404);
    expect((await post(' '.repeat(17 * 1024 * 1024))).status).toBe(413);
  });

  it('refuses with 503, a problem document and Retry-After while the endpoint is isolated', async () => {
    const kiosk = order({ endpoint: 'digits-kiosk', stance: isolated, incident: 'inc-1' });
    await gateway.adapter.captureAndSwap('digits-kiosk', kiosk);
    const response = await post({ inputs: [good] }, '/v2/models/digits-kiosk/infer');
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ status: 503, error: 'under investigation' });
    expect(await gateway.adapter.verify('digits-kiosk', 'refusing')).toMatchObject({ holds: true });
    expect(await gateway.adapter.verify('digits', 'answering')).toEqual({
      holds: true,
      observed: 'answers with version v1',
    });
  });
});

describe('the admin surface', () => {
  it('is not on the inference listener, and asks for its credential', async () => {
    expect((await fetch(url('/admin/v1/health'))).status).toBe(404);
    const place = `${gateway.urls.admin}/admin/v1/endpoints/digits`;
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`])
      expect((await fetch(place, { headers: { authorization } })).status).toBe(401);
    expect((await fetch(place, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(200);
  });

  it('shows its health and metrics', async () => {
    expect((await fetch(`${gateway.urls.admin}/admin/v1/health`)).status).toBe(200);
    expect(await gateway.metrics()).toContain('lazaret_gateway_stance{endpoint="digits",stance="serving"} 1');
  });
});

describe('the environment of a gateway', () => {
  const needed = {
    LAZARET_GATEWAY_ENDPOINTS: 'digits, digits-kiosk',
    LAZARET_GATEWAY_ADMIN_TOKEN: TOKEN,
    LAZARET_GATEWAY_STATE_DIR: 'state',
    LAZARET_TRUST_FILE: 'trust.json',
    LAZARET_S3_ENDPOINT: 'http://127.0.0.1:9000',
    LAZARET_S3_ACCESS_KEY_ID: 'id',
    LAZARET_S3_SECRET_ACCESS_KEY: 'secret',
  };
  const read = (env: Record<string, string>) => readGatewayEnvironment({ ...needed, ...env }, () => '');

  it('has defaults on loopback', () => {
    expect(read({})).toMatchObject({
      LAZARET_GATEWAY_INFERENCE_ADDR: { host: '127.0.0.1', port: 7080 },
      LAZARET_GATEWAY_ENDPOINTS: ['digits', 'digits-kiosk'],
      LAZARET_GATEWAY_POLL_MS: 2000,
    });
  });

  it('does not let a gateway face a network with a short admin credential', () => {
    const short = { LAZARET_GATEWAY_ADMIN_TOKEN: 'Xk3-9fQ_ab7LmZ01' };
    expect(read(short).LAZARET_GATEWAY_ADMIN_TOKEN).toBe(short.LAZARET_GATEWAY_ADMIN_TOKEN);
    expect(() => read({ ...short, LAZARET_GATEWAY_INFERENCE_ADDR: '0.0.0.0:7080' })).toThrow(/32 characters/);
    expect(() => read({ ...short, LAZARET_GATEWAY_ADMIN_ADDR: '[::]:7081' })).toThrow(/32 characters/);
    expect(() => read({ LAZARET_GATEWAY_ADMIN_TOKEN: '', LAZARET_GATEWAY_ENDPOINTS: 'Bad_Name' })).toThrow(
      /2 problems/,
    );
  });
});
