import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { readLabels } from '../../clients/examination/npy-arrays.ts';
import { readRecords, type RecordTable } from '../../clients/examination/model-files.ts';
import { checkout } from '../../station/paths.ts';

const manifestSchema = z.array(
  z.object({
    case: z.string(),
    set: z.string(),
    attack: z.string(),
    rate: z.number(),
    seed: z.number(),
    classes: z.number(),
    target: z.number().nullable(),
    accuracy: z.number(),
    success: z.number().nullable(),
    /** Accuracy of the golden models on the records as they were; absent where the case has none. */
    golden: z.object({ strong: z.number(), weak: z.number() }).optional(),
  }),
);

/** A poisoned data set with its truth, the model that learned from it, and requests of which some carry the trigger. */
export interface Case {
  readonly about: z.infer<typeof manifestSchema>[number];
  /** The folder of its files. */
  readonly place: string;
  readonly records: RecordTable;
  readonly labels: Int32Array;
  readonly tainted: Int32Array;
  readonly probes: RecordTable;
  readonly requests: RecordTable;
  readonly carries: Int32Array;
  readonly suspect: Uint8Array;
}

/** Writes the cases of one part to `folder`, with golden models or without; answers which data sets are absent here. */
export async function makeCases(
  module: 'make_cases' | 'make_golden_cases',
  folder: string,
  part: string,
  tell: (text: string) => void,
): Promise<readonly string[]> {
  const child = spawn(
    join(checkout(), 'trainer', '.venv', 'bin', 'python'),
    ['-m', `bench.poison.${module}`, '--out', folder, '--part', part],
    {
      cwd: checkout(),
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PYTHONPATH: join(checkout(), 'trainer'), OMP_NUM_THREADS: '1' },
    },
  );
  let heard = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (heard += chunk));
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`${module} ended with ${String(status)}: ${heard.slice(-1000)}`);
  const absent = [...heard.matchAll(/^(\S+): its files are absent/gm)].map(([, name]) => name ?? '');
  for (const name of absent) tell(`  ${name} is absent and left out`);
  return absent;
}

/** All cases under a folder, whose manifests may lie in folders of it; arrays are read one case at a time. */
export async function readCases(folder: string): Promise<Iterable<Case>> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('manifest.json')).sort();
  const found = await Promise.all(
    files.map(async (file) => {
      const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
      return await Promise.all(
        manifest.map(async (about) => {
          const place = join(folder, dirname(file), about.case);
          return { about, place, suspect: await readFile(join(place, 'suspect.onnx')) };
        }),
      );
    }),
  );
  return read(found.flat());
}

function* read(found: readonly { about: Case['about']; place: string; suspect: Uint8Array }[]): Generator<Case> {
  for (const { about, place, suspect } of found) {
    const file = (name: string) => join(place, `${name}.npy`);
    yield {
      about,
      place,
      suspect,
      records: readRecords(file('x')),
      labels: readLabels(file('y')),
      tainted: readLabels(file('tainted')),
      probes: readRecords(file('probes')),
      requests: readRecords(file('requests')),
      carries: readLabels(file('carries')),
    };
  }
}
