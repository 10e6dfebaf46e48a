import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readLabels, readProbabilities } from '../../clients/examination/npy-arrays.ts';
import type { Labels, Probabilities } from '../../forensics/labels/arrays.ts';
import { checkout } from '../../station/paths.ts';

const manifestSchema = z.array(
  z.object({
    case: z.string(),
    set: z.string(),
    kind: z.string(),
    rate: z.number(),
    model: z.string(),
    seed: z.number(),
  }),
);
const flaggedSchema = z.object({
  version: z.string(),
  /** By filter the records it flags; null where it failed on these arrays. */
  flagged: z.record(z.string(), z.array(z.number()).nullable()),
});

/** One pair of arrays with its truth, and what the rival made of it. */
export interface Case {
  readonly about: z.infer<typeof manifestSchema>[number];
  readonly p: Probabilities;
  readonly labels: Labels;
  readonly truth: Labels;
  readonly rival: Readonly<Record<string, readonly number[] | null>> | null;
}

/** Writes the cases of one part to `folder`; answers which data sets are absent here. */
export async function makeArrays(
  folder: string,
  part: string,
  tell: (text: string) => void,
): Promise<readonly string[]> {
  const python = join(checkout(), 'trainer', '.venv', 'bin', 'python');
  const script = join(checkout(), 'bench', 'labels', 'make_arrays.py');
  const processes = String(availableParallelism());
  const args = [script, '--out', folder, '--part', part, '--processes', processes];
  const lines = await output(python, args, (line) => tell(`  ${line}`));
  return [...new Set(lines.flatMap((line) => /^(\S+): its files are absent/.exec(line)?.[1] ?? []))];
}

/** Runs every filter on every case with a Python of its own; answers the rival's version. */
export async function runCleanlab(python: string, folder: string): Promise<string> {
  await output(python, [join(checkout(), 'bench', 'labels', 'run_cleanlab.py'), folder], () => undefined);
  const [first] = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  return flaggedSchema.parse(JSON.parse(await readFile(join(folder, first?.case ?? '', 'cleanlab.json'), 'utf8')))
    .version;
}

export async function readCases(folder: string): Promise<readonly Case[]> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')));
  return await Promise.all(
    manifest.map(async (about) => {
      const place = (name: string) => join(folder, about.case, name);
      const rival = await readFile(place('cleanlab.json'), 'utf8').catch(() => null);
      return {
        about,
        p: readProbabilities(place('p.npy')),
        labels: readLabels(place('labels.npy')),
        truth: readLabels(place('truth.npy')),
        rival: rival === null ? null : flaggedSchema.parse(JSON.parse(rival)).flagged,
      };
    }),
  );
}

/** Runs a Python script to its end and answers what it wrote to stderr, by line; throws where it fails. */
async function output(
  python: string,
  args: readonly string[],
  hear: (line: string) => void,
): Promise<readonly string[]> {
  return await new Promise((resolve, reject) => {
    const child = spawn(python, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    });
    const lines: string[] = [];
    let rest = '';
    child.stderr.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) hear(line);
      lines.push(...parts);
    });
    child.once('error', reject);
    child.once('close', (status) =>
      status === 0
        ? resolve(lines)
        : reject(new Error(`${args[0]} ended with ${status}: ${lines.slice(-5).join('\n')}`)),
    );
  });
}
