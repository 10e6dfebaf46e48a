import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** The thread behind a predictor: one session, one question at a time. */
export interface Question {
  readonly data: Float32Array<ArrayBuffer>;
  readonly dims: readonly number[];
}
export type ToThread = Question | 'close';
export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'scores'; readonly data: Float32Array<ArrayBuffer> }
  | { readonly kind: 'refused'; readonly reason: string };

interface Start {
  readonly bytes: Uint8Array;
  readonly input: string;
  readonly output: string;
}

const MAX_REASON = 500;

function refusal(error: unknown): Answer {
  return { kind: 'refused', reason: (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON) };
}

async function serve(port: NonNullable<typeof parentPort>, start: Start): Promise<void> {
  const session = await InferenceSession.create(start.bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
    // MUST be present: a model loaded from bytes reads external data from the working directory otherwise. With a list, ONNX Runtime
    // refuses every file that is not in it.
    externalData: [{ path: 'none', data: new Uint8Array(1) }],
  });
  port.on('message', (message: ToThread) => {
    if (message === 'close') {
      // Comes after the run that was going on. Without a port nothing holds the thread.
      port.close();
      return;
    }
    session
      .run({ [start.input]: new Tensor('float32', message.data, message.dims) }, [start.output])
      .then((outputs) => {
        const found = outputs[start.output];
        if (!(found?.data instanceof Float32Array)) throw new Error(`output ${start.output} is not float32`);
        // Copied: the tensor's memory belongs to the session.
        const data = new Float32Array(found.data);
        port.postMessage({ kind: 'scores', data } satisfies Answer, [data.buffer]);
      })
      .catch((error: unknown) => port.postMessage(refusal(error)));
  });
  port.postMessage({ kind: 'ready' } satisfies Answer);
}

if (parentPort) {
  const port = parentPort;
  // The one edge where the thread's start data is trusted: it comes from `createPredictor` in the same process.
  serve(port, workerData as Start).catch((error: unknown) => port.postMessage(refusal(error)));
}
