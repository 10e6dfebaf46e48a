import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  fakeStore,
  isolated,
  modelBytes,
  order,
  publish,
  removeTemporaryFolders,
  run,
  serving,
  type RunningGateway,
} from './station.ts';

/** A Python that has Triton's client: LAZARET_TRITONCLIENT_PYTHON, or the trainer's virtual environment. */
const python = [
  process.env['LAZARET_TRITONCLIENT_PYTHON'],
  fileURLToPath(new URL('../../trainer/.venv/bin/python', import.meta.url)),
].find((candidate) => candidate !== undefined && existsSync(candidate) && importable(candidate));
const ifPython = python ? it : it.skip;

function importable(candidate: string): boolean {
  try {
    execFileSync(candidate, ['-c', 'import tritonclient.http, tritonclient.grpc'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

let gateway: RunningGateway;
beforeAll(async () => {
  const store = fakeStore();
  gateway = await run(store, { endpoints: ['every', 'other'] });
  await gateway.settled;
  const stance = serving(publish(store, 'v1', modelBytes('every-datatype')));
  await gateway.adapter.captureAndSwap('every', order({ endpoint: 'every', stance }));
  await gateway.adapter.captureAndSwap('other', order({ endpoint: 'other', stance: isolated, incident: 'inc-1' }));
});
afterAll(async () => {
  await gateway.close();
  removeTemporaryFolders();
});

describe('interoperation with the Python package ‘tritonclient’', () => {
  ifPython('every datatype goes there and back unchanged, over HTTP in JSON and binary and over gRPC', async () => {
    const { stdout } = await promisify(execFile)(python ?? '', [
      fileURLToPath(new URL('ask_as_triton.py', import.meta.url)),
      `127.0.0.1:${gateway.inference.port}`,
      `127.0.0.1:${gateway.grpcPort}`,
    ]);
    expect(JSON.parse(stdout)).toEqual({
      'http False False': [],
      'http False True': [],
      'http True False': [],
      'http True True': [],
      gzip: [],
      deflate: [],
      grpc: [],
      'http ready': [true, true, true, false],
      'grpc ready': [true, true, true, false],
      names: ['every', 'every'],
      index: ['every', 'other'],
      'grpc index': ['every', 'other'],
      loads: expect.stringContaining('signed order'),
      lacking: expect.stringMatching(/INVALID_ARGUMENT.*expected each of "bool"/),
      isolated: expect.stringMatching(/UNAVAILABLE.*under investigation/),
    });
  });
});
