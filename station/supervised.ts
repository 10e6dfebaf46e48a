import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { endProcess, startOf } from './process-identity.ts';

/** One process of the station: how it is started, and how one knows that it works. */
export interface ProcessPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
  /** Does it work? Asked again and again until true; MUST NOT throw for "not yet". */
  readonly ready: (since: Date) => Promise<boolean>;
  /** How long it may take to end when asked to. */
  readonly graceMs: number;
}

export interface StationEvent {
  readonly at: string;
  readonly process: string;
  readonly event: 'started' | 'ready' | 'exited' | 'restarting' | 'stopped' | 'gave-up' | 'note';
  readonly detail: string;
}

export interface Supervised {
  readonly name: string;
  readonly log: string;
  /** Resolves when it answers; rejects when it ended several times before it ever did. */
  start(): Promise<void>;
  /** Ends it for good, or until `start` is called again. */
  stop(): Promise<void>;
  /** Sends a signal and lets the supervision do the rest: a killed process is started again. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves when the process that runs now answers. */
  whenReady(): Promise<void>;
  state(): {
    readonly pid: number | null;
    readonly start: string | null;
    readonly ready: boolean;
    readonly restarts: number;
  };
}

const READY_POLL_MS = 40;
const READY_LIMIT_MS = 60_000;
const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 10_000;
/** A process that lived this long has recovered: the next crash starts the backoff anew. */
const RECOVERED_MS = 30_000;
/** Before it was ever ready, a process that keeps ending is misconfigured, not unlucky. */
const EARLY_EXITS = 3;
const LOG_TAIL = 1500;

export function supervise(plan: ProcessPlan, onEvent: (event: StationEvent) => void, onPid: () => void): Supervised {
  let child: ChildProcess | null = null;
  let start: string | null = null;
  let wanted = false;
  let ready = false;
  let everReady = false;
  let restarts = 0;
  let early = 0;
  let backoffMs = FIRST_BACKOFF_MS;
  let timer: NodeJS.Timeout | null = null;
  let waiters: { resolve: () => void; reject: (error: Error) => void }[] = [];

  const tell = (event: StationEvent['event'], detail = '') =>
    onEvent({ at: new Date().toISOString(), process: plan.name, event, detail });

  const settle = (error: Error | null) => {
    const waiting = waiters;
    waiters = [];
    for (const waiter of waiting) error ? waiter.reject(error) : waiter.resolve();
  };

  const launch = () => {
    const since = new Date();
    const log = openSync(plan.log, 'a');
    // A process group of its own: Ctrl-C reaches the supervisor alone, which then ends everything in order.
    const mine = spawn(plan.command, plan.args, {
      cwd: plan.cwd,
      env: { ...plan.env },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    child = mine;
    start = mine.pid === undefined ? null : startOf(mine.pid);
    onPid();
    tell('started', mine.pid === undefined ? '' : `pid ${mine.pid}`);
    let over = false;
    const ended = (how: string) => {
      if (over) return;
      over = true;
      // News of one that was stopped may come when the next one runs already.
      const present = child === mine;
      if (present) {
        child = null;
        ready = false;
      }
      onPid();
      if (!wanted || !present) return;
      tell('exited', how);
      again(since, how);
    };
    mine.once('error', (error) => ended(error.message));
    mine.once('exit', (status, signal) => ended(signal ? `signal ${signal}` : `status ${status}`));
    void watch(since, () => over || child !== mine);
  };

  const again = (since: Date, how: string) => {
    if (!everReady && ++early >= EARLY_EXITS) {
      wanted = false;
      tell('gave-up', how);
      settle(new Error(`${plan.name} does not start (${how}). The end of ${plan.log}:\n${tailOf(plan.log)}`));
      return;
    }
    if (Date.now() - since.getTime() > RECOVERED_MS) backoffMs = FIRST_BACKOFF_MS;
    restarts += 1;
    tell('restarting', `in ${backoffMs} ms`);
    timer = setTimeout(launch, backoffMs);
    backoffMs = Math.min(LONGEST_BACKOFF_MS, backoffMs * 2);
  };

  const watch = async (since: Date, gone: () => boolean) => {
    while (!gone() && wanted) {
      if (await plan.ready(since).catch(() => false)) {
        if (gone()) return;
        ready = true;
        everReady = true;
        tell('ready', `after ${Date.now() - since.getTime()} ms`);
        settle(null);
        return;
      }
      if (Date.now() - since.getTime() > READY_LIMIT_MS && !everReady) {
        settle(
          new Error(
            `${plan.name} does not answer after ${READY_LIMIT_MS / 1000} s. The end of ${plan.log}:\n${tailOf(plan.log)}`,
          ),
        );
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
    }
  };

  const whenReady = () => {
    if (ready) return Promise.resolve();
    const answered = new Promise<void>((resolve, reject) => waiters.push({ resolve, reject }));
    // Whoever asked may have stopped listening (an interrupted start): that is no crash of the supervisor.
    answered.catch(() => {});
    return answered;
  };

  return {
    name: plan.name,
    log: plan.log,
    async start() {
      if (wanted) return await whenReady();
      wanted = true;
      const answered = whenReady();
      launch();
      await answered;
    },
    async stop() {
      wanted = false;
      ready = false;
      if (timer) clearTimeout(timer);
      timer = null;
      const leaving = child;
      if (leaving?.pid !== undefined && start !== null) await endProcess(leaving.pid, start, plan.graceMs);
      settle(new Error(`${plan.name} was stopped`));
      tell('stopped');
    },
    kill(signal) {
      ready = false;
      child?.kill(signal);
    },
    whenReady,
    state: () => ({ pid: child?.pid ?? null, start: child ? start : null, ready, restarts }),
  };
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-LOG_TAIL).trim();
  } catch {
    return '(no log)';
  }
}
