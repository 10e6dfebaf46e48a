import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkout } from '../paths.ts';

/**
 * What the trainer's Python has for the drills (`lazaret_trainer/samples.py`): the bytes that `kind` writes. Rejects with its last words
 * where it fails.
 */
export async function sampleOf(kind: string, ...options: readonly string[]): Promise<Uint8Array> {
  const trainer = join(checkout(), 'trainer');
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-sample-'));
  try {
    const file = join(folder, 'sample');
    await promisify(execFile)(
      join(trainer, '.venv', 'bin', 'python'),
      ['-m', 'lazaret_trainer.samples', kind, ...options, '--out', file],
      { env: { ...process.env, PYTHONPATH: trainer } },
    );
    return new Uint8Array(await readFile(file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same as text that holds JSON. */
export async function sampleJson(kind: string, ...options: readonly string[]): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await sampleOf(kind, ...options)));
}

/** An untrained network, ONNX. */
export async function untrained(network: string, seed: number): Promise<Uint8Array> {
  return await sampleOf(network, '--seed', String(seed));
}
