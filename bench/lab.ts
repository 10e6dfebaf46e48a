import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Figure } from '../station/drill.ts';
import { checkout } from '../station/paths.ts';
import { main, type Measured, type Wish } from './bench.ts';

/** What fits into the minute of `--quick` together; every other part has a `--quick` of its own. */
const QUICKLY = ['weights', 'poison'];

/** One bench of the lab as a process of its own; its last line is JSON. */
interface Part {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

const figuresSchema = z.object({
  figures: z.array(
    z.object({
      name: z.string(),
      value: z.union([z.number(), z.boolean(), z.string()]).nullable(),
      unit: z.string().default(''),
      target: z.string().default(''),
      met: z.boolean().nullable().default(null),
    }),
  ),
});

/** The whole bar of the lab: operators, weights, label errors, poisoned records, backdoors and the trainer's objectives, one after the other. */
async function lab({ quick, tell }: Wish): Promise<Measured> {
  const cache = process.env['LAZARET_LAB_CACHE'] ?? (await mkdtemp(join(tmpdir(), 'lazaret-lab-')));
  const figures: Figure[] = [];
  const beside: Record<string, unknown> = {};
  try {
    for (const part of partsOf(quick, cache)) {
      if (quick && !QUICKLY.includes(part.name)) {
        beside[part.name] = 'left out by --quick';
        continue;
      }
      tell(`\n── ${part.name}`);
      const found = await run(part, tell);
      if (found === null) beside[part.name] = 'ended with an error';
      for (const { name, value, unit, target, met } of found ?? []) {
        if (value !== null && met !== null) figures.push({ name: `${part.name}: ${name}`, value, unit, target, met });
        else beside[`${part.name}: ${name}`] = value ?? 'not measured';
      }
    }
  } finally {
    if (process.env['LAZARET_LAB_CACHE'] === undefined) await rm(cache, { recursive: true, force: true });
  }
  return { figures, beside };
}

function partsOf(quick: boolean, cache: string): readonly Part[] {
  const root = checkout();
  const python = join(root, 'trainer', '.venv', 'bin', 'python');
  const short = quick ? ['--quick'] : [];
  const data = process.env['LAZARET_DATA'];
  const mnist = data === undefined ? [] : ['--mnist', join(data, 'mnist-train')];
  const own = (name: string): Part => {
    const file = import.meta.url.endsWith('.ts') ? `${name}.ts` : `${name}.js`;
    return { name, file: process.execPath, args: [join(import.meta.dirname, file), '--json', ...short], cwd: root };
  };
  const trainer = (name: string, ...args: string[]): Part => ({ name, file: python, args, cwd: join(root, 'trainer') });
  return [
    trainer('operators', 'bench/operators.py'),
    own('weights'),
    own('labels'),
    own('poison'),
    { name: 'backdoor', file: python, args: ['-m', 'bench.lab.backdoor', '--cache', cache, ...short], cwd: root },
    trainer('training', 'bench/training.py', '--json', ...short, ...mnist),
  ];
}

/** The figures of the last line, a target with or without; null where the process failed or said something else. */
async function run(
  { file, args, cwd }: Part,
  tell: (text: string) => void,
): Promise<z.infer<typeof figuresSchema>['figures'] | null> {
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((done) => {
    child.once('error', () => done(null));
    child.once('close', done);
  });
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (last !== '') tell(last);
    last = line;
  }
  const status = await ended;
  const parsed = status === 0 ? figuresSchema.safeParse(asJson(last)) : null;
  if (!parsed?.success) {
    tell(last);
    return null;
  }
  return parsed.data.figures;
}

function asJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

await main('lab', lab);
