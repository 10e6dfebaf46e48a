import { describeRunning } from '../station/describe.ts';
import { StationRuns, startStation, type Station } from '../station/main.ts';
import { stationPaths } from '../station/paths.ts';
import { readRecord, runningRecord } from '../station/record.ts';
import { isAlive } from '../station/process-identity.ts';
import type { StationEvent } from '../station/supervised.ts';
import { CommandError, EXIT } from './exit.ts';
import { faint, mark, plain, strong, table, type Terminal } from './terminal.ts';

/** Ctrl-C reaches a terminal's whole group, and npm passes it on once more: only a second wish this much later is meant as one. */
const REPEATED_SIGNAL_MS = 1500;

/** Keeps a station until Ctrl-C or SIGTERM; then ends everything it started and nothing else. */
export async function up(terminal: Terminal, options: { anywhere?: boolean }): Promise<void> {
  const leave = untilSignal();
  const station = await startOrSay(terminal, { anywhere: options.anywhere ?? false, signal: leave.signal });
  if (!station) return;
  const { urls, paths } = station.describe();
  terminal.say();
  terminal.say(`${strong('Lazaret runs.')} Ctrl-C stops it; its state stays in ${paths.home}`);
  terminal.say(addresses(urls));
  terminal.say(faint(`Next: npm run lazaret -- drill run sticker`));
  terminal.result({ event: 'ready', urls, home: paths.home });
  await leave.asked;
  terminal.say('stopping …');
  await station.stop();
  terminal.say('stopped');
}

/** Starts a station and shows how; null (said so, status 0) where one runs already. */
export async function startOrSay(
  terminal: Terminal,
  options: { anywhere: boolean; signal: AbortSignal },
): Promise<Station | null> {
  try {
    return await startStation({ ...options, onEvent: (event) => show(terminal, event) });
  } catch (error) {
    if (error instanceof StationRuns) {
      terminal.say(`${strong('The station runs already')} (pid ${error.record.supervisor.pid}).`);
      terminal.say(addresses(error.record.urls));
      terminal.result({ event: 'runs-already', urls: error.record.urls });
      return null;
    }
    if (options.signal.aborted) throw new CommandError(EXIT.failed, 'interrupted; what was started was stopped again');
    throw error;
  }
}

export function untilSignal(): { readonly asked: Promise<void>; readonly signal: AbortSignal } {
  const controller = new AbortController();
  let first = 0;
  const asked = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        const now = Date.now();
        if (first === 0) {
          first = now;
          controller.abort();
          resolve();
        } else if (now - first > REPEATED_SIGNAL_MS) {
          process.stderr.write('still stopping; the processes are ended one after the other\n');
        }
      });
    }
  });
  return { asked, signal: controller.signal };
}

export function show(terminal: Terminal, event: StationEvent): void {
  const words: Record<StationEvent['event'], string> = {
    started: '',
    ready: `${mark(true)} ${event.process} ${faint(event.detail)}`,
    exited: `${mark(false)} ${event.process} ended (${event.detail})`,
    restarting: `  ${event.process} starts again ${event.detail}`,
    stopped: `  ${event.process} stopped`,
    'gave-up': `${mark(false)} ${event.process} does not start (${event.detail})`,
    note: `  ${event.process}: ${event.detail}`,
  };
  const line = words[event.event];
  if (line === '') return;
  if (terminal.json) terminal.progress(line);
  else terminal.say(line);
}

function addresses(urls: { readonly [name: string]: string | null }): string {
  const titles: [string, string][] = [
    ['api', 'console and API'],
    ['inference', 'inference (OIP v2)'],
    ['temporalUi', "Temporal's page"],
    ['temporal', 'Temporal'],
    ['s3', 'S3'],
  ];
  return titles.flatMap(([name, title]) => (urls[name] ? [`  ${title.padEnd(20)} ${urls[name]}`] : [])).join('\n');
}

export async function status(terminal: Terminal): Promise<void> {
  const paths = stationPaths();
  const record = runningRecord(paths.record);
  if (!record) {
    const left = readRecord(paths.record)?.processes.filter((entry) => isAlive(entry.pid, entry.start)) ?? [];
    terminal.result({ running: false, home: paths.home, leftBehind: left });
    const orphans =
      left.length > 0 ? ` ${left.length} processes of a killed one are left; "station up" ends them.` : '';
    throw new CommandError(EXIT.unreachable, `no station runs in ${paths.home}.${orphans}`);
  }
  const processes = record.processes.map((entry) => ({ ...entry, alive: isAlive(entry.pid, entry.start) }));
  terminal.say(
    `${strong(record.ready ? 'The station runs' : 'The station is starting')} since ${record.startedAt} (pid ${record.supervisor.pid}), home ${plain(paths.home)}`,
  );
  terminal.say(addresses(record.urls));
  terminal.say();
  terminal.say(
    table(
      ['process', 'pid', 'state'],
      processes.map((entry) => [entry.name, String(entry.pid), entry.alive ? 'up' : 'down']),
    ),
  );
  terminal.result({
    running: true,
    ready: record.ready,
    home: paths.home,
    since: record.startedAt,
    urls: record.urls,
    processes,
  });
  await Promise.resolve();
}

/** The station of this home, or the sentence that says how to start one. */
export function theStation() {
  const running = describeRunning();
  if (!running)
    throw new CommandError(EXIT.unreachable, `no station runs in ${stationPaths().home}: start one with "npm start"`);
  return running;
}
