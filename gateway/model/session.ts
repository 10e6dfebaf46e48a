import { Worker } from 'node:worker_threads';
import type { FromThread, OutputTensor, ThreadStart, ToThread } from './session.worker.ts';
import type { Elements, ModelSignature } from './tensors.ts';

/** A model that answers, in a thread of its own: a run blocks its event loop, and containment must never wait for one. */
export interface Session {
  readonly signature: ModelSignature;
  /** `data` is row-major in `dims`. Rejects with SessionFailed. */
  run(data: Elements, dims: readonly number[]): Promise<readonly OutputTensor[]>;
  /** Runs that wait are not started any more, and the thread ends. */
  retire(): void;
  /** False when the thread has ended, by itself or by `retire`. */
  alive(): boolean;
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
/** After `retire`, for the run that is going on. */
const RETIRE_TIMEOUT_MS = 5_000;
/** Ending a thread takes the processor for milliseconds: in a storm of containments that is for later. Nothing is asked of it meanwhile. */
const LINGER_MS = 10_000;

interface Waiting {
  resolve(outputs: readonly OutputTensor[]): void;
  reject(error: SessionFailed): void;
  readonly deadline: number;
}

/** Takes the bytes over: the thread loads this very buffer, which is empty here afterwards. Throws ModelUnfit. */
export async function openSession(bytes: Uint8Array<ArrayBuffer>, now: () => number = Date.now): Promise<Session> {
  const source = new URL(
    import.meta.url.endsWith('.ts') ? './session.worker.ts' : './session.worker.js',
    import.meta.url,
  );
  const retired = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(source, {
    workerData: { bytes, retired } satisfies ThreadStart,
    transferList: [bytes.buffer],
    name: 'model',
  });
  worker.unref();

  const waiting = new Map<number, Waiting>();
  let alive = true;
  let nextId = 0;
  const end = (kind: SessionFailure, reason: string): void => {
    alive = false;
    clearInterval(watch);
    for (const request of waiting.values()) request.reject(new SessionFailed(kind, reason));
    waiting.clear();
  };
  const watch = setInterval(() => {
    const [oldest] = waiting.values();
    if (!oldest || now() < oldest.deadline) return;
    end('timeout', 'the model did not answer in time');
    // Native code cannot be interrupted: the thread ends with the run it is in, and nobody waits for it.
    void worker.terminate();
  }, 1000);
  watch.unref();

  const signature = await new Promise<ModelSignature>((resolve, reject) => {
    const timer = setTimeout(() => {
      void worker.terminate();
      reject(new ModelUnfit('the model was not loaded within its time'));
    }, LOAD_TIMEOUT_MS);
    const settled = (act: () => void) => {
      clearTimeout(timer);
      act();
    };
    worker.on('error', (error) => {
      end('gone', 'the thread of the model crashed');
      settled(() => reject(new ModelUnfit(`the thread of the model crashed: ${error.message}`)));
    });
    worker.on('exit', () => {
      end('gone', 'the thread of the model has ended');
      settled(() => reject(new ModelUnfit('the thread of the model ended while loading')));
    });
    worker.on('message', (message: FromThread) => {
      switch (message.kind) {
        case 'ready':
          settled(() => resolve(message.signature));
          break;
        case 'unfit':
          settled(() => reject(new ModelUnfit(message.reason)));
          break;
        case 'outputs':
          take(message.id)?.resolve(message.outputs);
          break;
        case 'failed':
          take(message.id)?.reject(new SessionFailed('model', message.reason));
          break;
      }
    });
  }).catch((error: unknown) => {
    end('gone', 'the model was not loaded');
    throw error;
  });

  function take(id: number): Waiting | undefined {
    const request = waiting.get(id);
    waiting.delete(id);
    return request;
  }

  // Listening to the thread holds the process again.
  worker.unref();
  return {
    signature,
    run: (data, dims) =>
      new Promise((resolve, reject) => {
        if (!alive) return reject(new SessionFailed('gone', 'the model is not loaded any more'));
        if (waiting.size >= MAX_WAITING)
          return reject(new SessionFailed('busy', 'too many requests wait for the model'));
        const id = nextId++;
        waiting.set(id, { resolve, reject, deadline: now() + RUN_TIMEOUT_MS });
        worker.postMessage({ kind: 'run', id, data, dims } satisfies ToThread, [data.buffer]);
      }),
    retire() {
      if (!alive) return;
      Atomics.store(retired, 0, 1);
      end('gone', 'the model was taken off');
      setTimeout(() => {
        worker.postMessage({ kind: 'close' } satisfies ToThread);
        setTimeout(() => void worker.terminate(), RETIRE_TIMEOUT_MS).unref();
      }, LINGER_MS).unref();
    },
    alive: () => alive,
  };
}
