import { gzipSync, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
  type RunningGateway,
} from './station.ts';

let gateway: RunningGateway;
beforeAll(async () => {
  const store = fakeStore();
  gateway = await run(store);
  await gateway.settled;
  const stance = serving(publish(store, 'v1', modelBytes('golden')));
  await gateway.adapter.captureAndSwap('digits', order({ stance }));
});
afterAll(async () => {
  await gateway.close();
  removeTemporaryFolders();
});

const BYTES = Buffer.from(Float32Array.from(ROW).buffer);
const about = { name: 'x', datatype: 'FP32', shape: [1, ...SHAPE] };
const sized = (size: number) => ({ ...about, parameters: { binary_data_size: size } });

async function post(body: Buffer, headers: Record<string, string> = {}) {
  const response = await fetch(`${gateway.urls.inference}/v2/models/digits/infer`, {
    method: 'POST',
    headers,
    body: new Uint8Array(body),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const headerLength = response.headers.get('inference-header-content-length');
  const json = JSON.parse(
    bytes.subarray(0, headerLength === null ? bytes.length : Number(headerLength)).toString(),
  ) as {
    error?: string;
    outputs?: { data?: number[]; parameters?: { binary_data_size: number } }[];
  };
  return {
    status: response.status,
    json,
    rest: bytes.subarray(headerLength === null ? bytes.length : Number(headerLength)),
  };
}

/** JSON with tensors behind it. */
function binary(json: unknown, ...blobs: Buffer[]) {
  const head = Buffer.from(JSON.stringify(json));
  return { body: Buffer.concat([head, ...blobs]), headers: { 'inference-header-content-length': String(head.length) } };
}

async function asJson(): Promise<number[]> {
  const { json } = await post(Buffer.from(JSON.stringify({ inputs: [{ ...about, data: ROW }] })));
  return json.outputs?.[0]?.data ?? [];
}

describe('the binary tensor data extension', () => {
  it('gives the same answer for binary and JSON, in all four combinations', async () => {
    const expected = await asJson();
    expect(expected).toHaveLength(10);
    for (const asked of [
      { parameters: { binary_data_output: true } },
      { outputs: [{ name: 'logits', parameters: { binary_data: true } }] },
    ]) {
      const both = binary({ inputs: [sized(BYTES.length)], ...asked }, BYTES);
      const { status, json, rest } = await post(both.body, both.headers);
      expect(status).toBe(200);
      expect(json.outputs?.[0]).toMatchObject({ parameters: { binary_data_size: 40 } });
      expect([...new Float32Array(rest.buffer.slice(rest.byteOffset, rest.byteOffset + 40))]).toEqual(expected);
      const out = await post(Buffer.from(JSON.stringify({ inputs: [{ ...about, data: ROW }], ...asked })));
      expect(out.rest).toEqual(rest);
    }
    const input = binary({ inputs: [sized(BYTES.length)] }, BYTES);
    expect((await post(input.body, input.headers)).json.outputs?.[0]?.data).toEqual(expected);
  });

  it('takes half-precision floats for a model of FP32, which they widen to without a loss', async () => {
    const { Float16Array } = globalThis as unknown as {
      Float16Array: { from(values: readonly number[]): { buffer: ArrayBuffer } };
    };
    const half = Buffer.from(Float16Array.from(ROW).buffer);
    const brain = Buffer.alloc(2 * ROW.length);
    ROW.forEach((value, index) =>
      brain.writeUInt16LE((new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0) >>> 16, 2 * index),
    );
    const expected = await asJson();
    for (const [datatype, bytes] of [
      ['FP16', half],
      ['BF16', brain],
    ] as const) {
      const { body, headers } = binary({ inputs: [{ ...sized(bytes.length), datatype }] }, bytes);
      const { json } = await post(body, headers);
      // Sixteenths are exact in both.
      expect(json.outputs?.[0]?.data).toEqual(expected);
    }
  });

  it('takes gzip and deflate, and no more bytes out of them than of any body', async () => {
    const expected = await asJson();
    const plain = Buffer.from(JSON.stringify({ inputs: [{ ...about, data: ROW }] }));
    for (const [encoding, body] of [
      ['gzip', gzipSync(plain)],
      ['deflate', deflateSync(plain)],
    ] as const)
      expect((await post(body, { 'content-encoding': encoding })).json.outputs?.[0]?.data).toEqual(expected);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect((await post(bomb, { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await post(plain, { 'content-encoding': 'gzip' })).json.error).toMatch(/not gzip/);
    expect((await post(plain, { 'content-encoding': 'br' })).json.error).toMatch(/expected gzip, deflate/);
  });

  const nan = Buffer.from(Float32Array.from([NaN, ...ROW.slice(1)]).buffer);
  const wrong: readonly (readonly [string, { body: Buffer; headers: Record<string, string> }, RegExp])[] = [
    [
      'a tensor that is cut off',
      binary({ inputs: [sized(256)] }, BYTES.subarray(0, 200)),
      /256, and 200 bytes are left/,
    ],
    [
      'bytes that belong to nothing',
      binary({ inputs: [sized(256)] }, BYTES, BYTES),
      /256 bytes are left behind the last/,
    ],
    [
      'a size that is not the shape’s',
      binary({ inputs: [sized(252)] }, BYTES.subarray(0, 252)),
      /takes 256 bytes, got 252/,
    ],
    [
      'a size that is no number',
      binary({ inputs: [{ ...about, parameters: { binary_data_size: '256' } }] }, BYTES),
      /number of bytes/,
    ],
    ['data and bytes at once', binary({ inputs: [{ ...sized(256), data: ROW }] }, BYTES), /got both/],
    ['neither data nor bytes', binary({ inputs: [about] }), /expected data, or/],
    ['NaN in the bytes', binary({ inputs: [sized(256)] }, nan), /element 0: expected a finite FP32/],
    [
      'JSON longer than the body',
      { body: BYTES, headers: { 'inference-header-content-length': '9999' } },
      /expected 1 to 256/,
    ],
    [
      'a length that is no number',
      { body: BYTES, headers: { 'inference-header-content-length': '1e3' } },
      /expected 1 to 256/,
    ],
    [
      'shared memory',
      binary({ inputs: [{ ...about, parameters: { shared_memory_region: 'r' } }] }),
      /shared_memory_region is not supported/,
    ],
    [
      'a sequence',
      binary({ inputs: [sized(256)], parameters: { sequence_id: 7 } }, BYTES),
      /sequence_id is not supported/,
    ],
    [
      'a flag that is none',
      binary({ inputs: [sized(256)], parameters: { binary_data_output: 'yes' } }, BYTES),
      /true or false/,
    ],
  ];
  for (const [what, { body, headers }, expected] of wrong)
    it(`refuses ${what} with 400 and says what was expected`, async () => {
      const { status, json } = await post(body, headers);
      expect(json.error).toMatch(expected);
      expect(status).toBe(400);
    });
});
