import { describeRunning } from '../station/describe.ts';
import type { DrillEvent, DrillOptions, DrillOutcome, Figure } from '../station/drill.ts';
import { listDrills, runDrill } from '../station/drill-run.ts';
import type { RunningStation } from '../station/describe.ts';
import type { Station } from '../station/main.ts';
import { CommandError, EXIT } from './exit.ts';
import { startOrSay, theStation, untilSignal } from './station.ts';
import { mark, plain, strong, table, type Terminal } from './terminal.ts';

const DEMO = 'sticker';
/** It comes with the trainer, and is small. */
const DEMO_DATA = 'digits';

export async function list(terminal: Terminal): Promise<void> {
  const drills = await listDrills();
  terminal.say(
    table(
      ['drill', 'what it does', 'data'],
      drills.map(({ name, title, data }) => [name, title, data.join(', ')]),
    ),
  );
  terminal.result({ drills });
}

export async function runOne(
  terminal: Terminal,
  name: string,
  { data, seed }: { data?: string; seed?: string },
): Promise<void> {
  const drill = (await listDrills()).find((one) => one.name === name);
  if (drill && data !== undefined && !drill.data.includes(data))
    throw new CommandError(
      EXIT.usage,
      `the drill ${name} has no data "${plain(data)}"; it has: ${drill.data.join(', ')}`,
    );
  if (seed !== undefined && !(/^\d{1,10}$/.test(seed) && Number(seed) < 2 ** 32))
    throw new CommandError(EXIT.usage, `--seed takes a whole number from 0 to ${2 ** 32 - 1}`);
  const options = { data: data ?? null, seed: seed === undefined ? null : Number(seed) };
  conclude(terminal, await play(terminal, name, options, theStation()));
}

/** What a newcomer sees first. A station that runs already is used and left running; one started for this is stopped again. */
export async function demo(terminal: Terminal): Promise<void> {
  const began = Date.now();
  const leave = untilSignal();
  let mine: Station | null = null;
  let running = describeRunning();
  if (!running) {
    mine = await startOrSay(terminal, { anywhere: false, signal: leave.signal });
    running = mine ? mine.describe() : describeRunning();
  }
  if (!running) throw new CommandError(EXIT.unreachable, 'the station that runs here is not ready yet: try again');
  try {
    const interrupted = leave.asked.then(() => {
      throw new CommandError(
        EXIT.failed,
        'interrupted; the incident stays open and goes on when the station runs again',
      );
    });
    const outcome = await Promise.race([play(terminal, DEMO, { data: DEMO_DATA, seed: null }, running), interrupted]);
    const seconds = (Date.now() - began) / 1000;
    conclude(terminal, {
      ...outcome,
      figures: [
        ...outcome.figures,
        { name: 'demo_seconds', value: Math.round(seconds * 10) / 10, unit: 's', target: '<= 90', met: seconds <= 90 },
      ],
    });
  } finally {
    await mine?.stop();
  }
}

async function play(
  terminal: Terminal,
  name: string,
  options: DrillOptions,
  station: RunningStation,
): Promise<DrillOutcome> {
  const began = Date.now();
  const tell = ({ text }: DrillEvent): void => {
    const line = `${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${plain(text)}`;
    if (terminal.json) terminal.progress(line);
    else terminal.say(line);
  };
  const outcome = await runDrill(name, station, tell, options);
  if (outcome) return outcome;
  const names = (await listDrills()).map((drill) => drill.name).join(', ');
  throw new CommandError(EXIT.usage, `there is no drill "${plain(name)}"; there are: ${names}`);
}

function conclude(terminal: Terminal, outcome: DrillOutcome): void {
  const met = outcome.ok && outcome.figures.every((figure) => figure.met);
  terminal.say();
  for (const figure of outcome.figures)
    terminal.say(
      `${mark(figure.met)} ${figure.name.padEnd(24)} ${String(figure.value)} ${figure.unit}${intervalOf(figure)}   target ${figure.target}`,
    );
  terminal.say();
  if (outcome.report) terminal.say(`${strong('Report')}    ${outcome.report}`);
  if (outcome.bundle) terminal.say(`${strong('Evidence')}  ${outcome.bundle}`);
  terminal.result({ ...outcome, ok: met });
  if (met) return;
  process.exitCode = EXIT.failed;
  const why = outcome.message ?? 'a figure fell short of its target';
  process.stderr.write(`lazaret: ${plain(why)} (${outcome.code ?? 'drill/fell-short'})\n`);
}

function intervalOf({ interval }: Figure): string {
  return interval ? ` [${interval.map((end) => end.toFixed(2)).join(', ')}]` : '';
}
