import { mkdirSync } from 'node:fs';
import { describeFrom, type RunningStation } from './describe.ts';
import { stationPaths } from './paths.ts';
import { choosePorts } from './ports.ts';
import { prepareStorage } from './storage.ts';
import { startOf } from './process-identity.ts';
import { ENGINE_NAMES, SERVICE_NAMES, plans, s3Endpoint, temporalAddress, type ProcessName } from './processes.ts';
import { surfacesOf } from './default-configuration.ts';
import { follow, provision } from './provision.ts';
import { createTemporalProbe } from './readiness.ts';
import { endOrphans, removeRecord, runningRecord, writeRecord, type StationRecord } from './record.ts';
import { supervise, type StationEvent, type Supervised } from './supervised.ts';

export interface StationOptions {
  /** Where the station keeps its state; LAZARET_HOME or `.lazaret` by default. */
  readonly home?: string;
  /** Free ports instead of the usual ones, for stations side by side. */
  readonly anywhere?: boolean;
  readonly onEvent?: (event: StationEvent) => void;
  /** Aborted while the station starts: what was started is stopped again. */
  readonly signal?: AbortSignal;
}

export interface Station {
  describe(): RunningStation;
  processes(): readonly (ReturnType<Supervised['state']> & { readonly name: ProcessName; readonly log: string })[];
  /** Sends a signal (SIGKILL by default) to one process; the supervision starts it again. */
  kill(name: ProcessName, signal?: NodeJS.Signals): void;
  /** Resolves when the process that runs now answers. */
  whenReady(name: ProcessName): Promise<void>;
  /** Stops one process until it is brought back. */
  takeAway(name: ProcessName): Promise<void>;
  bringBack(name: ProcessName): Promise<void>;
  stop(): Promise<void>;
}

export class StationRuns extends Error {
  readonly record: StationRecord;
  constructor(record: StationRecord) {
    super(`the station already runs (pid ${record.supervisor.pid}, ${record.urls.api})`);
    this.name = 'StationRuns';
    this.record = record;
  }
}

/**
 * Starts the engines, then Lazaret's processes, and supervises them until `stop`. Throws StationRuns where one runs in this home already;
 * what a killed supervisor left behind is ended first. State survives: open incidents go on.
 */
export async function startStation(options: StationOptions = {}): Promise<Station> {
  const paths = stationPaths(options.home);
  const onEvent = options.onEvent ?? (() => {});
  const note = (process: string, detail: string) =>
    onEvent({ at: new Date().toISOString(), process, event: 'note', detail });

  mkdirSync(paths.home, { recursive: true, mode: 0o700 });
  const running = runningRecord(paths.record);
  if (running) throw new StationRuns(running);
  for (const name of await endOrphans(paths.record)) note(name, 'left behind by a station that was killed; ended');

  const chosen = await choosePorts(paths.ports, { anywhere: options.anywhere ?? false });
  for (const { name, from, to } of chosen.moved) note('station', `port ${from} of ${name} is taken; uses ${to}`);
  follow(paths.configuration, chosen);
  provision(paths, surfacesOf(chosen.ports));

  const foreign = {
    temporal: process.env['LAZARET_TEMPORAL_ADDRESS'] ?? process.env['TEMPORAL_ADDRESS'] ?? null,
    s3: process.env['LAZARET_S3_ENDPOINT'] ?? null,
  };
  const namespace = process.env['LAZARET_TEMPORAL_NAMESPACE'] ?? 'default';
  const place = { foreign, ports: chosen.ports };
  const probe = createTemporalProbe(temporalAddress(place), namespace);
  const planned = plans({ paths, probe, ...place });

  const urls: StationRecord['urls'] = {
    api: `http://127.0.0.1:${chosen.ports.api}`,
    inference: `http://127.0.0.1:${chosen.ports.inference}`,
    admin: `http://127.0.0.1:${chosen.ports.admin}`,
    s3: s3Endpoint(place),
    temporal: temporalAddress(place),
    temporalUi: foreign.temporal ? null : `http://127.0.0.1:${chosen.ports.temporalUi}`,
  };
  const startedAt = new Date().toISOString();
  let ready = false;
  let over = false;
  const members = new Map<ProcessName, Supervised>();
  const record = () => {
    if (over) return;
    const processes = [...members.values()].flatMap((member) => {
      const { pid, start } = member.state();
      return pid !== null && start !== null ? [{ name: member.name, pid, start }] : [];
    });
    const supervisor = { name: 'supervisor', pid: process.pid, start: startOf(process.pid) ?? '' };
    writeRecord(paths.record, { schema: 'lazaret.station/v1', supervisor, startedAt, ready, processes, urls });
  };
  for (const name of [...ENGINE_NAMES, ...SERVICE_NAMES]) {
    const plan = planned[name];
    if (plan) members.set(name, supervise(plan, onEvent, record));
  }
  record();

  const member = (name: ProcessName): Supervised => {
    const found = members.get(name);
    if (!found) throw new Error(`${name} is not run by this station`);
    return found;
  };
  const aborted = new Promise<never>((_, reject) => {
    options.signal?.addEventListener('abort', () => reject(new Error('the start was interrupted')), { once: true });
  });
  aborted.catch(() => {});
  const begin = async (names: readonly ProcessName[]) => {
    await Promise.race([aborted, Promise.all(names.flatMap((name) => members.get(name)?.start() ?? []))]);
  };
  const stop = async () => {
    for (const name of [...SERVICE_NAMES].reverse()) await members.get(name)?.stop();
    // Engines last: the others hand work back to them while they end.
    for (const name of [...ENGINE_NAMES].reverse()) await members.get(name)?.stop();
    await probe.close();
    over = true;
    removeRecord(paths.record);
  };

  try {
    await begin(ENGINE_NAMES);
    if (foreign.temporal)
      for (const name of await probe.prepare()) note('temporal', `search attribute ${name} was missing; added`);
    await prepareStorage(describeFrom(paths, urls).s3);
    await begin(SERVICE_NAMES);
  } catch (error) {
    await stop();
    throw error;
  }
  ready = true;
  record();

  return {
    describe: () => describeFrom(paths, urls),
    processes: () => [...members].map(([name, supervised]) => ({ name, log: supervised.log, ...supervised.state() })),
    kill: (name, signal = 'SIGKILL') => member(name).kill(signal),
    whenReady: (name) => member(name).whenReady(),
    takeAway: (name) => member(name).stop(),
    bringBack: (name) => member(name).start(),
    stop,
  };
}
