import { Worker, type MessagePort } from 'node:worker_threads';
import { Failure } from '../domain/incident/failure.ts';
import { FAILURES, type FailureCode } from '../domain/incident/failures.ts';

/** Calls by name into a thread and back; inputs and answers are what structured clone carries. */
interface Call {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: string | null; readonly message: string; readonly stack: string };
}

/** In the thread: answers calls with `ports`. What they throw goes back with its code. */
export function serveCalls(port: MessagePort, ports: object): void {
  const known = ports as Readonly<Record<string, (input: unknown) => Promise<unknown>>>;
  const answer = async ({ id, name, input }: Call): Promise<Reply> => {
    try {
      const act = Object.hasOwn(known, name) ? known[name] : undefined;
      if (!act) throw new Error(`this thread serves no "${name}"`);
      return { id, value: await act(input) };
    } catch (error) {
      const thrown = error instanceof Error ? error : new Error(String(error));
      const code = error instanceof Failure ? error.code : null;
      return { id, error: { code, message: thrown.message, stack: thrown.stack ?? '' } };
    }
  };
  port.on('message', (call: Call) => void answer(call).then((reply) => port.postMessage(reply)));
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Outside of it: starts the thread with the first call, and anew with the first one after its end. */
export function createCaller(source: URL): {
  call(name: string, input: unknown): Promise<unknown>;
  close(): Promise<void>;
} {
  let thread: Worker | null = null;
  let last = 0;
  const waiting = new Map<number, Waiting>();

  function start(): Worker {
    const started = new Worker(source);
    let why = 'it ended';
    started.on('message', ({ id, value, error }: Reply) => {
      const call = waiting.get(id);
      waiting.delete(id);
      if (error) call?.reject(thrown(error));
      else call?.resolve(value);
    });
    started.on('error', (error) => (why = error.message));
    started.on('exit', () => {
      if (thread === started) thread = null;
      const lost = [...waiting.values()];
      waiting.clear();
      for (const call of lost)
        call.reject(new Failure('analysis/crashed', `The thread of the analysis is gone: ${why}`));
    });
    started.unref();
    return started;
  }

  return {
    call: async (name, input) =>
      await new Promise((resolve, reject) => {
        thread ??= start();
        const id = ++last;
        waiting.set(id, { resolve, reject });
        thread.postMessage({ id, name, input } satisfies Call);
      }),
    close: async () => {
      await thread?.terminate();
    },
  };
}

function thrown({ code, message, stack }: NonNullable<Reply['error']>): Error {
  const error =
    code !== null && Object.hasOwn(FAILURES, code) ? new Failure(code as FailureCode, message) : new Error(message);
  error.stack = stack;
  return error;
}
