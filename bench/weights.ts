import { truncateSync, openSync, closeSync, writeSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createMemory, DATA_OFFSET } from '../forensics/weights/kernel/kernel.ts';
import { compareRanges } from '../forensics/weights/stream.ts';
import { main, type Measured, type Wish } from './bench.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const ROUNDS = 7;
const MAX_THREADS = 2;

/** How fast weights are compared beside a plain copy of the same bytes, and how much memory files larger than the memory need. */
async function weights({ quick, tell }: Wish): Promise<Measured> {
  const gib = quick ? 1 : 5;
  tell(`comparing two files of ${gib} GiB`);
  // First, because the mark of the memory used at most is the process' own and only rises.
  const files = await onDisk(gib * GIB);
  tell('counting changed bits in two arrays of 512 MiB');
  const arrays = await inMemory(512 * MIB);
  const speed = Math.round((arrays.copyMs / arrays.countMs) * 100) / 100;
  return {
    figures: [
      { name: 'count_beside_copy', value: speed, unit: '', target: '≥ 0.8', met: speed >= 0.8 },
      {
        name: 'peak_memory',
        value: files.peakMiB,
        unit: 'MiB',
        target: '≤ 1024 MiB',
        met: files.peakMiB <= 1024,
      },
    ],
    beside: { ...arrays, files: `${gib} GiB each, sparse but for one change in each GiB`, ...files },
  };
}

/** Every word differs, which is the hardest case. Medians, copy and count by turns, so that both see the same machine. */
async function inMemory(bytes: number) {
  const threads = Math.min(MAX_THREADS, availableParallelism());
  const memory = createMemory(2 * bytes, true);
  const words = bytes / 4;
  const suspect = new Float32Array(memory.buffer, DATA_OFFSET, words);
  const golden = new Float32Array(memory.buffer, DATA_OFFSET + bytes, words);
  for (let at = 0; at < words; at++) {
    suspect[at] = (Math.imul(at, 0x9e3779b1) / 2 ** 31) * 0.1;
    golden[at] = (suspect[at] ?? 0) * 1.001 + 1e-5;
  }
  const source = Buffer.from(memory.buffer as SharedArrayBuffer, DATA_OFFSET, bytes);
  const target = Buffer.alloc(bytes, 1);
  const file = `./weights/count-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`;
  const workers = Array.from({ length: threads }, (_, slot) => {
    const from = DATA_OFFSET + (slot * bytes) / threads;
    const workerData = { memory, slot, suspect: from, golden: from + bytes, words: words / threads };
    return new Worker(new URL(file, import.meta.url), { workerData });
  });
  const ask = (pass: 'count' | 'moments') =>
    Promise.all(
      workers.map((worker) => new Promise((done) => (worker.once('message', done), worker.postMessage(pass)))),
    );
  await ask('count');
  await ask('moments');
  const times = { copy: [] as number[], count: [] as number[], moments: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    times.copy.push(await timed(() => void target.set(source)));
    times.count.push(await timed(() => ask('count')));
    times.moments.push(await timed(() => ask('moments')));
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  return { copyMs: median(times.copy), countMs: median(times.count), momentsMs: median(times.moments), threads };
}

async function onDisk(bytes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-weights-'));
  try {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < 16 * MIB) throw new Error(`no room for the files in ${folder}`);
    const paths = ['suspect', 'golden'].map((name) => join(folder, name)) as [string, string];
    const file = openSync(paths[0], 'w');
    for (let at = 0; at < bytes; at += GIB) writeSync(file, Buffer.from(Float32Array.of(0.5).buffer), 0, 4, at + 4096);
    closeSync(file);
    closeSync(openSync(paths[1], 'w'));
    for (const path of paths) truncateSync(path, bytes);
    const began = performance.now();
    const found = compareRanges(
      { path: paths[0], offset: 0, length: bytes },
      { path: paths[1], offset: 0, length: bytes },
    );
    const seconds = (performance.now() - began) / 1000;
    if (found.changed !== bytes / GIB) throw new Error(`${found.changed} changes found`);
    return {
      peakMiB: peakMiB(),
      seconds: Math.round(seconds * 10) / 10,
      gibPerSecond: Math.round((20 * bytes) / GIB / seconds) / 10,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The most memory this process ever held, as the operating system counted it. */
function peakMiB(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

async function timed(act: () => unknown): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return Math.round(([...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN) * 10) / 10;
}

await main('weights', weights);
