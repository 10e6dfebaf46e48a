import { spawn } from 'node:child_process';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { digestOf } from '../../domain/proofs/digest.ts';

/** The trainer's interpreter and the folder its package is in. */
export interface TrainerHome {
  readonly python: string;
  readonly folder: string;
  readonly cache: string | null;
}

/** What a command of the trainer printed as JSON; null with a reason where it did not come to that. `tell` hears of its progress. */
export async function askTrainer(
  { python, folder, cache }: TrainerHome,
  command: 'examine' | 'explain',
  options: readonly string[],
  tell: (words: string) => void,
): Promise<{ value: unknown; reason: string }> {
  const child = spawn(python, ['-m', `lazaret_trainer.${command}`, ...options], {
    env: { ...process.env, PYTHONPATH: folder, ...(cache === null ? {} : { LAZARET_TRAINER_CACHE: cache }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let last = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    for (const line of chunk.split('\n').filter((text) => text.trim() !== '')) tell((last = line));
  });
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', (error) => {
      last = error.message;
      resolve(null);
    });
    child.once('close', resolve);
  });
  if (status !== 0) return { value: null, reason: `The search did not end: ${last}` };
  try {
    return { value: JSON.parse(out), reason: 'The answer of the search breaks the contract.' };
  } catch {
    return { value: null, reason: 'The answer of the search is not JSON.' };
  }
}

/** Names the bytes of a value without storing them anywhere. */
export function jsonRef(value: unknown, name: string): ObjectRef {
  const text = canonicalJson(value);
  return {
    store: 'artifacts',
    digest: digestOf(text),
    bytes: Buffer.byteLength(text),
    mediaType: 'application/json',
    name,
  };
}
