import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import {
  logHeaderSchema,
  logKey,
  type LogHeader,
  type LoggedInference,
  type LoggedRefusals,
} from '../../domain/contracts/request-log.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import type { Clock, GatewayLog } from '../ports.ts';
import { sha256Of } from '../state/state-folder.ts';
import { openSegment, type OpenSegment } from './segment.ts';

/** The log of one endpoint on one replica. What it cannot keep it counts. */
export interface RequestLog {
  answered(inference: LoggedInference): void;
  refused(status: number): void;
  /** Segments that wait to be shipped, and what was lost since the start. */
  figures(): { readonly waitingSegments: number; readonly waitingBytes: number; readonly lost: number };
  /** Brings what is held to where segments go, as far as that can be reached. */
  close(): Promise<void>;
}

/** Where segments go. Rejects where it cannot be reached; writing the same key again is no error. */
export type ShipSegment = (key: string, bytes: Uint8Array) => Promise<void>;

export interface RequestLogOptions {
  readonly endpoint: string;
  readonly replica: string;
  /** Of this endpoint alone. */
  readonly folder: string;
  readonly ship: ShipSegment;
  /** Bytes of closed segments that may wait on disk; the oldest go beyond it. */
  readonly maxBytes: number;
  readonly log: GatewayLog;
  readonly now: Clock;
  readonly segmentBytes?: number;
  readonly segmentMs?: number;
}

/** A kill -9 loses what came in since the last of these. */
const FLUSH_MS = 250;
const SEGMENT_MS = 60_000;
const SEGMENT_BYTES = 4 * 1024 * 1024;
/** After a failure to ship. */
const RETRY_MS = 5_000;
const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Opens the folder: what an earlier process left there is closed and shipped first. */
export async function openRequestLog(options: RequestLogOptions): Promise<RequestLog> {
  const { endpoint, replica, folder, log, now, segmentBytes = SEGMENT_BYTES, segmentMs = SEGMENT_MS } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  /** Closed segments by their file's name, the oldest first. */
  const waiting = new Map<string, { readonly bytes: number; readonly lines: number }>();
  let segment: OpenSegment | null = null;
  let opening: Promise<void> | null = null;
  let seq = 0;
  let previous: Digest | null = null;
  let lost = 0;
  /** Lines that came while the next segment was being opened. */
  let early: string[] = [];
  let refusals: Record<string, number> = {};
  let closed = false;
  let work: Promise<unknown> = Promise.resolve();
  let nextTry = 0;

  const lose = (count: number): void => void (lost += count);
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = work.then(act);
    work = turn.catch(() => undefined);
    return turn;
  };

  async function adopt(): Promise<void> {
    for (const name of (await readdir(folder)).sort()) {
      const path = join(folder, name);
      if (name.endsWith('.open.ndjson')) await seal(path);
      else if (name.endsWith('.ndjson.gz'))
        waiting.set(name, { bytes: (await stat(path)).size, lines: await linesIn(path) });
      else await rm(path, { force: true });
    }
  }

  /** Compresses a segment and gives it the name that it will have. A line that was cut off by the end of its process is left out. */
  async function seal(path: string): Promise<void> {
    const text = await readFile(path, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const [first = '', ...lines] = whole.split('\n');
    const header = logHeaderSchema.safeParse(parsed(first));
    if (header.success && lines.length > 1) {
      const bytes = await compress(whole);
      const name = logKey(header.data).split('/').at(-1) ?? '';
      await writeFile(join(folder, `${name}.tmp`), bytes, { mode: 0o600 });
      await rename(join(folder, `${name}.tmp`), join(folder, name));
      waiting.set(name, { bytes: bytes.length, lines: lines.length - 1 });
      if (header.data.replica === replica) previous = sha256Of(bytes);
    }
    await rm(path, { force: true });
  }

  async function rotate(): Promise<void> {
    const done = segment;
    segment = null;
    if (done) {
      await done.close();
      await seal(done.path);
    }
  }

  /** More than may wait: the oldest go, and the next header says how many lines that were. */
  function shed(): void {
    let held = [...waiting.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [name, { bytes, lines }] of waiting) {
      if (held <= options.maxBytes) return;
      held -= bytes;
      waiting.delete(name);
      lose(lines);
      void rm(join(folder, name), { force: true });
      log.error(
        { endpoint, lines },
        'lines of the request log are lost: the disk share is full and segments cannot be shipped',
      );
    }
  }

  async function shipAll(): Promise<void> {
    for (const name of [...waiting.keys()]) {
      const path = join(folder, name);
      const bytes = await readFile(path);
      const header = logHeaderSchema.parse(parsed((await decompress(bytes)).toString('utf8').split('\n', 1)[0] ?? ''));
      await options.ship(logKey(header), bytes);
      waiting.delete(name);
      await rm(path, { force: true });
    }
  }

  function write(line: string): void {
    if (segment) {
      if (!segment.append(line)) lose(1);
      return;
    }
    if (early.length < 10_000) early.push(line);
    else lose(1);
    opening ??= inTurn(start).finally(() => (opening = null));
    opening.catch((error: unknown) => {
      lose(early.length);
      early = [];
      log.error({ endpoint, err: error }, 'the request log cannot be written');
    });
  }

  async function start(): Promise<void> {
    const header: LogHeader = {
      schema: 'lazaret.request-log/v1',
      endpoint,
      replica,
      seq: seq++,
      previous,
      from: now().toISOString(),
      lost,
    };
    const opened = await openSegment(folder, header);
    for (const line of early.splice(0)) if (!opened.append(line)) lose(1);
    segment = opened;
  }

  async function tick(final: boolean): Promise<void> {
    if (Object.keys(refusals).length > 0) {
      write(JSON.stringify({ at: now().toISOString(), refused: refusals } satisfies LoggedRefusals));
      refusals = {};
    }
    await opening?.catch(() => undefined);
    await inTurn(async () => {
      if (!segment) return;
      const age = now().getTime() - Date.parse(segment.header.from);
      const due = segment.lines > 0 && (final || segment.bytes >= segmentBytes || age >= segmentMs);
      if (due) await rotate();
      else await segment.flush();
    });
    if (waiting.size > 0 && (final || now().getTime() >= nextTry)) await ship();
    // Only now: what can be shipped is not lost.
    await inTurn(() => Promise.resolve(shed()));
  }

  async function ship(): Promise<void> {
    await inTurn(shipAll).catch((error: unknown) => {
      nextTry = now().getTime() + RETRY_MS;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ endpoint, segments: waiting.size, reason }, 'segments of the request log wait');
    });
  }

  await adopt();
  let ticking = false;
  const timer = setInterval(() => {
    if (ticking || closed) return;
    ticking = true;
    tick(false)
      .catch((error: unknown) => log.error({ endpoint, err: error }, 'the request log cannot be written'))
      .finally(() => (ticking = false));
  }, FLUSH_MS);
  timer.unref();

  return {
    answered: (inference) => write(JSON.stringify(inference)),
    refused(status) {
      refusals[String(status)] = (refusals[String(status)] ?? 0) + 1;
    },
    figures: () => ({
      waitingSegments: waiting.size,
      waitingBytes: [...waiting.values()].reduce((sum, { bytes }) => sum + bytes, 0),
      lost,
    }),
    async close() {
      closed = true;
      clearInterval(timer);
      await tick(true);
    },
  };
}

async function linesIn(path: string): Promise<number> {
  const text = (await decompress(await readFile(path))).toString('utf8');
  return text.split('\n').length - 2;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
