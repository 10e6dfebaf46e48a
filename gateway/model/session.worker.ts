import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { createBatches, type Batches } from './batches.ts';
import { createEngine, type Engine } from './engine.ts';
import { CONTROL, type FromThread, type Run, type ThreadStart, type ToThread } from './thread-protocol.ts';

/**
 * The thread behind a loaded model. It does not listen on its port as an event loop does: it sleeps in `Atomics.wait` and takes messages when
 * it is woken, which takes a fifth of the time (15 instead of 77 µs there and back) and lets everything that came in meanwhile run together.
 */
async function serve(port: MessagePort, engine: Engine, batches: Batches, control: ThreadStart['control']) {
  const post = (message: FromThread) => port.postMessage(message);
  for (;;) {
    // Before the port is looked at: what is posted after the look changes the word, and the wait returns at once.
    const posted = Atomics.load(control, CONTROL.posted);
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) {
      const message = next.message as ToThread;
      if (message.kind === 'close') return await engine.release();
      batches.add(message);
    }
    const group = batches.next();
    if (group.length === 0) Atomics.wait(control, CONTROL.posted, posted);
    else await answer(group);
  }

  async function answer(group: readonly Run[]): Promise<void> {
    if (Atomics.load(control, CONTROL.retired) === 1) {
      for (const { id } of group) post({ kind: 'failed', id, reason: 'the model is retired' });
      return;
    }
    group.forEach(({ id }, place) => Atomics.store(control, CONTROL.running + 1 + place, id));
    Atomics.store(control, CONTROL.running, group.length);
    const started = performance.now();
    try {
      const answers = await engine.run(group.map(({ inputs }) => inputs));
      const runUs = 1000 * (performance.now() - started);
      batches.took(group, runUs);
      answers.forEach((outputs, place) => post({ kind: 'outputs', id: group[place]?.id ?? -1, outputs, runUs }));
    } catch (error) {
      const [only, ...others] = group;
      // Somebody's input may have failed the run of all.
      if (others.length > 0) for (const run of group) await answer([run]);
      else if (only) post({ kind: 'failed', id: only.id, reason: reasonOf(error) });
    } finally {
      Atomics.store(control, CONTROL.running, 0);
    }
  }
}

const MAX_REASON = 500;

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON);
}

/**
 * ONNX Runtime's JavaScript keeps FP16 in a Float16Array where the runtime has one, and its native half does not know that array (1.30: "not
 * enough space"). Without it, it keeps the bits, as it does on older runtimes. This thread's global alone.
 */
delete (globalThis as { Float16Array?: unknown }).Float16Array;

async function start(port: MessagePort, { bytes, control }: ThreadStart): Promise<void> {
  const engine = await createEngine(bytes);
  const together = await engine.warmUp();
  port.postMessage({ kind: 'ready', signature: engine.signature, batches: together } satisfies FromThread);
  await serve(port, engine, createBatches(together), control);
}

if (parentPort) {
  const port = parentPort;
  // The one edge where the thread's start data is trusted: it comes from `openSession` in the same process.
  start(port, workerData as ThreadStart).then(
    () => port.close(),
    (error: unknown) => {
      port.postMessage({ kind: 'unfit', reason: reasonOf(error) } satisfies FromThread);
      port.close();
    },
  );
}
