import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { isElementType, type Elements, type ElementType, type ModelSignature, type TensorSpec } from './tensors.ts';

/** The thread behind a loaded model: one session, one request after the other. */
export interface Run {
  readonly kind: 'run';
  readonly id: number;
  readonly data: Elements;
  readonly dims: readonly number[];
}
export type ToThread = Run | { readonly kind: 'close' };

export interface OutputTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
export type FromThread =
  | { readonly kind: 'ready'; readonly signature: ModelSignature }
  | { readonly kind: 'unfit'; readonly reason: string }
  | { readonly kind: 'outputs'; readonly id: number; readonly outputs: readonly OutputTensor[] }
  | { readonly kind: 'failed'; readonly id: number; readonly reason: string };

export interface ThreadStart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** One 32-bit flag: 1 when the model is retired and whatever still waits MUST NOT be run. */
  readonly retired: Int32Array;
}

async function serve(port: NonNullable<typeof parentPort>, { bytes, retired }: ThreadStart): Promise<void> {
  const session = await InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 4,
    // MUST be present: a model loaded from bytes reads external data from the working directory otherwise. With a list, ONNX Runtime
    // refuses every file that is not in it.
    externalData: [{ path: 'none', data: new Uint8Array(1) }],
  });
  const signature = signatureOf(session);
  const names = signature.outputs.map((output) => output.name);

  let turn: Promise<void> = Promise.resolve();
  port.on('message', (message: ToThread) => {
    turn = turn.then(async () => {
      if (message.kind === 'close') {
        await session.release();
        port.close();
      } else {
        port.postMessage(await answer(message));
      }
    });
  });
  async function answer({ id, data, dims }: Run): Promise<FromThread> {
    if (Atomics.load(retired, 0) === 1) return { kind: 'failed', id, reason: 'the model is retired' };
    try {
      const outputs = await session.run(
        { [signature.input.name]: new Tensor(signature.input.type, data, [...dims]) },
        names,
      );
      return {
        kind: 'outputs',
        id,
        outputs: signature.outputs.map(({ name, type }) => {
          const tensor = outputs[name];
          if (!tensor || typeof tensor.data === 'string') throw new Error(`the output ${name} is missing`);
          return {
            name,
            type,
            shape: tensor.dims,
            data: Array.from(tensor.data as ArrayLike<number | bigint>, Number),
          };
        }),
      };
    } catch (error) {
      return { kind: 'failed', id, reason: reasonOf(error) };
    }
  }
  port.postMessage({ kind: 'ready', signature } satisfies FromThread);
}

function signatureOf(session: InferenceSession): ModelSignature {
  const [input, ...others] = session.inputMetadata;
  if (!input || others.length > 0)
    throw new Error(`the model has ${session.inputMetadata.length} inputs; this gateway serves models with one`);
  const outputs = session.outputMetadata.flatMap((output) => specOf(output) ?? []);
  const scores = outputs.find(({ type }) => type === 'float32' || type === 'float64');
  const spec = specOf(input);
  if (!spec) throw new Error(`the input ${input.name} is not a tensor of numbers`);
  if (!scores) throw new Error('the model has no float output');
  return { input: spec, outputs, scores: scores.name };
}

function specOf(value: InferenceSession.ValueMetadata): TensorSpec | null {
  if (!value.isTensor || !isElementType(value.type)) return null;
  const shape = value.shape.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : -1));
  return { name: value.name, type: value.type, shape };
}

const MAX_REASON = 500;

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_REASON);
}

if (parentPort) {
  const port = parentPort;
  // The one edge where the thread's start data is trusted: it comes from `openSession` in the same process.
  serve(port, workerData as ThreadStart).catch((error: unknown) => {
    port.postMessage({ kind: 'unfit', reason: reasonOf(error) } satisfies FromThread);
    port.close();
  });
}
