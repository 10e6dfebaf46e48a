import { Worker } from 'node:worker_threads';
import type { ModelSignature, Tensor } from './tensors.ts';
import { CONTROL, type FromThread, type Run, type ThreadStart, type ToThread } from './thread-protocol.ts';

/** A model that answers, in a thread of its own: a run blocks its thread, and containment must never wait for one. */
export interface Session {
  readonly signature: ModelSignature;
  /** Tensors in the order of the signature. Rejects with SessionFailed. */
  run(inputs: Run['inputs']): Promise<Outputs>;
  /** Runs that wait are not started any more, and the thread ends. */
  retire(): void;
  /** False when the thread has ended for good, by itself or by `retire`. */
  alive(): boolean;
}

export interface Outputs {
  readonly outputs: readonly Tensor[];
  /** Microseconds in the engine. */
  readonly runUs: number;
}

export type SessionFailure = 'model' | 'busy' | 'gone' | 'timeout';

export class SessionFailed extends Error {
  readonly kind: SessionFailure;
  constructor(kind: SessionFailure, message: string) {
    super(message);
    this.name = 'SessionFailed';
    this.kind = kind;
  }
}

/** The engine does not take the model: wrong bytes, an unknown operator, data outside the file, or a signature we cannot serve. */
export class ModelUnfit extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ModelUnfit';
  }
}

/** A signed model is loaded in milliseconds to seconds; one that is not there after this long never will be. */
const LOAD_TIMEOUT_MS = 60_000;
/** From being queued to being answered. A graph that loops gives its thread up. */
const RUN_TIMEOUT_MS = 30_000;
/** Requests that wait for one thread. More than that cannot be answered in time: the client is told so at once. */
const MAX_WAITING = 512;
/** Ending a thread takes the processor for milliseconds: in a storm of containments that is for later. Nothing is asked of it meanwhile. */
const LINGER_MS = 10_000;
/** A thread that ends is replaced. One that ends more often than this within a minute is not worth another. */
const MAX_REPLACEMENTS = 3;
const REPLACEMENTS_MS = 60_000;
const WATCH_MS = 1_000;
/** Ids travel in 32-bit words. */
const MOST_IDS = 2 ** 31;

interface Waiting {
  readonly inputs: Run['inputs'];
  resolve(outputs: Outputs): void;
  reject(error: SessionFailed): void;
  readonly deadline: number;
  alone: boolean;
}

interface Thread {
  readonly worker: Worker;
  readonly control: Int32Array<SharedArrayBuffer>;
}

export interface SessionOptions {
  readonly now?: () => number;
  /** Milliseconds from being queued to being answered. */
  readonly runTimeoutMs?: number;
  /** Sees every thread that is started. */
  readonly onThread?: (worker: Worker) => void;
}

/**
 * Loads a model into a thread and keeps one there: a thread that ends is replaced, and requests that only waited are answered by the next one.
 * What was in the engine when it ended is tried once more on its own, unless it was alone: then it is not tried again. Throws ModelUnfit.
 */
export async function openSession(bytes: Uint8Array<ArrayBuffer>, options: SessionOptions = {}): Promise<Session> {
  const { now = Date.now, runTimeoutMs = RUN_TIMEOUT_MS } = options;
  const waiting = new Map<number, Waiting>();
  const replacements: number[] = [];
  let alive = true;
  let nextId = 0;
  /** Null while the next one is being loaded. */
  let thread: Thread | null = null;

  const take = (id: number): Waiting | undefined => {
    const request = waiting.get(id);
    waiting.delete(id);
    return request;
  };
  const fail = (id: number, kind: SessionFailure, reason: string) => take(id)?.reject(new SessionFailed(kind, reason));
  const end = (reason: string): void => {
    alive = false;
    clearInterval(watch);
    for (const id of [...waiting.keys()]) fail(id, 'gone', reason);
  };
  const send = ({ worker, control }: Thread, message: ToThread): void => {
    worker.postMessage(message);
    Atomics.add(control, CONTROL.posted, 1);
    Atomics.notify(control, CONTROL.posted);
  };
  const watch = setInterval(
    () => {
      const late = [...waiting].filter(([, { deadline }]) => now() >= deadline);
      for (const [id] of late) fail(id, 'timeout', 'the model did not answer in time');
      if (late.length > 0 && thread) abandon(thread);
    },
    Math.min(WATCH_MS, runTimeoutMs / 10),
  );
  watch.unref();

  /** Resolves when the model is loaded and warm. */
  function start(): Promise<ModelSignature> {
    const control = new Int32Array(new SharedArrayBuffer(4 * CONTROL.words));
    // A copy: the next thread needs the bytes as well.
    const copy = bytes.slice();
    const source = new URL(
      import.meta.url.endsWith('.ts') ? './session.worker.ts' : './session.worker.js',
      import.meta.url,
    );
    const worker = new Worker(source, {
      workerData: { bytes: copy, control } satisfies ThreadStart,
      transferList: [copy.buffer],
      name: 'model',
    });
    options.onThread?.(worker);
    const started = { worker, control };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => unfit('the model was not loaded within its time'), LOAD_TIMEOUT_MS);
      let ready = false;
      const unfit = (reason: string): void => {
        clearTimeout(timer);
        reject(new ModelUnfit(reason));
      };
      worker.on('error', (error) => {
        if (!ready) unfit(`the thread of the model crashed: ${error.message}`);
      });
      worker.on('exit', () => {
        if (!ready) return unfit('the thread of the model ended while loading');
        if (thread === started) replace(started);
      });
      worker.on('message', (message: FromThread) => {
        switch (message.kind) {
          case 'ready':
            clearTimeout(timer);
            ready = true;
            thread = started;
            resolve(message.signature);
            break;
          case 'unfit':
            unfit(message.reason);
            break;
          case 'outputs':
            take(message.id)?.resolve(message);
            break;
          case 'failed':
            fail(message.id, 'model', message.reason);
            break;
        }
      });
      // Listening to the thread would hold the process.
      worker.unref();
    });
  }

  /**
   * A thread in the engine cannot be ended: native code is not interrupted, and a thread that is terminated in the middle of it takes the whole
   * process along. It is left to itself, ends when its run does, and another one takes its place.
   */
  function abandon(late: Thread): void {
    Atomics.store(late.control, CONTROL.retired, 1);
    send(late, { kind: 'close' });
    replace(late);
  }

  function replace({ control }: Thread): void {
    thread = null;
    if (!alive) return;
    const running = Array.from({ length: Atomics.load(control, CONTROL.running) }, (_, place) =>
      Atomics.load(control, CONTROL.running + 1 + place),
    );
    for (const id of running) {
      const request = waiting.get(id);
      if (running.length === 1) fail(id, 'model', 'the thread of the model ended in this request');
      else if (request) request.alone = true;
    }
    const recent = replacements.filter((at) => now() - at < REPLACEMENTS_MS);
    replacements.splice(0, Infinity, ...recent, now());
    if (recent.length >= MAX_REPLACEMENTS) return end('the thread of the model ended too often');
    start().then(
      () => {
        if (!alive) return close();
        for (const [id, { inputs, alone }] of waiting) if (thread) send(thread, { kind: 'run', id, inputs, alone });
      },
      () => end('the model could not be loaded again'),
    );
  }

  function close(): void {
    const last = thread;
    if (!last) return;
    Atomics.store(last.control, CONTROL.retired, 1);
    setTimeout(() => send(last, { kind: 'close' }), LINGER_MS).unref();
  }

  const signature = await start().catch((error: unknown) => {
    end('the model was not loaded');
    throw error;
  });
  return {
    signature,
    run: (inputs) =>
      new Promise((resolve, reject) => {
        if (!alive) return reject(new SessionFailed('gone', 'the model is not loaded any more'));
        if (waiting.size >= MAX_WAITING)
          return reject(new SessionFailed('busy', 'too many requests wait for the model'));
        const id = nextId;
        nextId = (nextId + 1) % MOST_IDS;
        waiting.set(id, { inputs, resolve, reject, deadline: now() + runTimeoutMs, alone: false });
        if (thread) send(thread, { kind: 'run', id, inputs, alone: false });
      }),
    retire() {
      if (!alive) return;
      end('the model was taken off');
      close();
    },
    alive: () => alive,
  };
}
