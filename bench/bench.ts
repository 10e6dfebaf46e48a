import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Figure } from '../station/drill.ts';
import { checkout } from '../station/paths.ts';
import { describeMachine, type Machine } from './machine.ts';

export interface Wish {
  readonly quick: boolean;
  tell(text: string): void;
}

/** What a bench found: figures with targets, and everything else that one should know to judge them. */
export interface Measured {
  readonly figures: readonly Figure[];
  readonly beside: Readonly<Record<string, unknown>>;
}

/** The `--json` line, and one entry of `figures.json`. */
export interface Result extends Measured {
  readonly bench: string;
  readonly at: string;
  readonly quick: boolean;
  readonly note: string | null;
  readonly machine: Machine;
}

const HELP = (name: string): string => `npm run bench:${name} -- [--quick] [--json] [--keep NOTE]

  --quick        fewer incidents, at most a minute
  --json         the last line is one JSON object
  --keep NOTE    writes the figures to bench/figures.json, with a note on the machine, e.g. "idle" or "shared machine"

The exit status says whether the measurement worked, not whether a target was met: that is in the figures.
`;

/** Runs one bench as a command. */
export async function main(name: string, measure: (wish: Wish) => Promise<Measured>): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      keep: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP(name));
  const tell = (text: string): void => void process.stdout.write(`${text}\n`);
  const machine = describeMachine();
  const at = new Date().toISOString();
  const measured = await measure({ quick: values.quick, tell });
  const result: Result = { bench: name, at, quick: values.quick, note: values.keep ?? null, machine, ...measured };
  tell(asText(result));
  if (values.keep !== undefined) await keep(result);
  if (values.json) tell(JSON.stringify(result));
}

export function asText({ figures, beside, machine, quick }: Result): string {
  const width = Math.max(...figures.map(({ name }) => name.length));
  const lines = figures.map(({ name, value, unit, target, met }) => {
    return `  ${name.padEnd(width)}  ${`${value} ${unit}`.padStart(14)}   target ${target}: ${met ? 'met' : 'NOT met'}`;
  });
  return [
    '',
    ...lines,
    '',
    ...Object.entries(beside).map(([name, value]) => `  ${name}: ${besideText(value)}`),
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}, Node ${machine.node}; load before: ${machine.loadBefore}${quick ? '; --quick' : ''}`,
  ].join('\n');
}

function besideText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([name, part]) => `${name} ${part}`)
    .join(', ');
}

const keptSchema = z.record(z.string(), z.unknown());

/** One entry per bench: the last figures that somebody wanted to keep. */
async function keep(result: Result): Promise<void> {
  const file = join(checkout(), 'bench', 'figures.json');
  const before = keptSchema.parse(JSON.parse(await readFile(file, 'utf8').catch(() => '{}')));
  await writeFile(file, `${JSON.stringify({ ...before, [result.bench]: result }, null, 2)}\n`);
}
