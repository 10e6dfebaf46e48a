import { Worker } from 'node:worker_threads';
import { Failure } from '../../domain/incident/failure.ts';
import { readModel } from '../onnx/reader.ts';
import { modelSignature } from './signature.ts';
import type { Answer, Question, ToThread } from './session.worker.ts';

export interface Scores {
  /** Row-major [count × classes]. */
  readonly scores: Float32Array;
  readonly classes: number;
}

/** A model that answers, for examination only. It runs single-threaded in a worker thread, because a session blocks its event loop. */
export interface Predictor {
  /** Shape of one record as the model declares it, null where a dimension is open. */
  readonly featureShape: readonly number[] | null;
  /** The model's own output for `count` records; `features` is row-major. `shape` is needed only where the model leaves its own open. */
  logits(features: Float32Array, count: number, shape?: readonly number[]): Promise<Scores>;
  /** Rows that sum to 1: the output itself where it already is a distribution, its softmax otherwise. */
  probabilities(features: Float32Array, count: number, shape?: readonly number[]): Promise<Scores>;
  close(): Promise<void>;
}

/** Records per run: keeps the memory of a hostile graph's intermediate values bounded. */
export const MAX_BATCH = 512;
/** One batch of a model that fits this station takes milliseconds; a graph that loops is given up after this long. */
const BATCH_TIMEOUT_MS = 60_000;

/**
 * Loads model bytes for examination. The file is read by our own strict reader first, so what runs is what the other analysers see; data
 * outside the bytes is refused. Fails with `model/invalid`, or `analysis/timeout` where a batch does not end.
 */
export async function createPredictor(
  modelBytes: Uint8Array,
  options: { batchTimeoutMs?: number } = {},
): Promise<Predictor> {
  const signature = modelSignature(readModel(modelBytes));
  const session = await openSession(modelBytes, signature, options.batchTimeoutMs ?? BATCH_TIMEOUT_MS);

  async function logits(features: Float32Array, count: number, shape?: readonly number[]): Promise<Scores> {
    const record = shape ?? signature.featureShape;
    if (record === null)
      throw new Failure('model/invalid', 'The model leaves its input shape open, and no shape was given.');
    const width = record.reduce((product, dim) => product * dim, 1);
    if (features.length !== count * width)
      throw new Failure(
        'dataset/invalid',
        `${features.length} features do not make ${count} records of shape [${record.join(', ')}].`,
      );
    const rows = signature.batch ?? MAX_BATCH;
    const parts: Float32Array[] = [];
    let classes = 0;
    for (let from = 0; from < count; from += rows) {
      const real = Math.min(rows, count - from);
      // A model with a fixed batch gets its last batch filled up with zeros; their answers are dropped.
      const batch = new Float32Array((signature.batch ?? real) * width);
      batch.set(features.subarray(from * width, (from + real) * width));
      const answer = await session.run(batch, [signature.batch ?? real, ...record]);
      classes = answer.data.length / (signature.batch ?? real);
      if (!Number.isInteger(classes) || classes < 1)
        throw new Failure('model/invalid', 'The output of the model is not one row of scores per record.');
      parts.push(answer.data.subarray(0, real * classes));
    }
    return { scores: join(parts), classes };
  }

  return {
    featureShape: signature.featureShape,
    logits,
    probabilities: async (features, count, shape) => normalise(await logits(features, count, shape)),
    close: () => session.close(),
  };
}

function join(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Deviation of a row's sum from 1 that float32 arithmetic explains. */
const ROUNDING = 1e-3;

/** Softmax per row, unless every row is a distribution already. A row with a value that is not a number stays as it is. */
export function normalise({ scores, classes }: Scores): Scores {
  const rows = scores.length / classes;
  let normalised = true;
  for (let row = 0; row < rows && normalised; row++) {
    const slice = scores.subarray(row * classes, (row + 1) * classes);
    const sum = slice.reduce((total, value) => total + value, 0);
    normalised = slice.every((value) => value >= 0) && Math.abs(sum - 1) < ROUNDING;
  }
  if (normalised) return { scores, classes };
  const out = new Float32Array(scores.length);
  for (let row = 0; row < rows; row++) {
    const slice = scores.subarray(row * classes, (row + 1) * classes);
    const top = slice.reduce((max, value) => Math.max(max, value), -Infinity);
    const powers = Array.from(slice, (value) => Math.exp(value - top));
    const sum = powers.reduce((total, value) => total + value, 0);
    powers.forEach((value, index) => (out[row * classes + index] = value / sum));
  }
  return { scores: out, classes };
}

interface Session {
  run(data: Float32Array<ArrayBuffer>, dims: readonly number[]): Promise<{ data: Float32Array }>;
  close(): Promise<void>;
}

async function openSession(
  bytes: Uint8Array,
  names: { input: string; output: string },
  timeoutMs: number,
): Promise<Session> {
  const source = new URL(
    import.meta.url.endsWith('.ts') ? './session.worker.ts' : './session.worker.js',
    import.meta.url,
  );
  const worker = new Worker(source, { workerData: { bytes: new Uint8Array(bytes), ...names } });
  let closed = false;
  let pending: { resolve: (answer: Answer) => void; reject: (error: unknown) => void } | null = null;
  const settle = (act: (waiting: NonNullable<typeof pending>) => void) => {
    const waiting = pending;
    pending = null;
    if (waiting) act(waiting);
  };
  worker.on('message', (answer: Answer) => settle((waiting) => waiting.resolve(answer)));
  worker.on('error', (error) => settle((waiting) => waiting.reject(error)));
  const ended = new Promise<void>((resolve) => worker.on('exit', () => resolve()));
  worker.on('exit', () => {
    closed = true;
    settle((waiting) => waiting.reject(new Failure('analysis/crashed', 'The thread that ran the model ended.')));
  });

  // After the listeners, which would hold the process again: a predictor that nobody closed must not keep it alive.
  worker.unref();

  /** One question at a time: `logits` asks in sequence, and concurrent callers queue here. */
  let last: Promise<unknown> = Promise.resolve();
  function ask(question: Question | null): Promise<Answer> {
    const turn = last.then(() => exchange(question));
    last = turn.catch(() => undefined);
    return turn;
  }
  function exchange(question: Question | null): Promise<Answer> {
    if (closed) return Promise.reject(new Failure('analysis/crashed', 'The model is closed already.'));
    return new Promise<Answer>((resolve, reject) => {
      const timer = setTimeout(() => {
        pending = null;
        leave();
        reject(new Failure('analysis/timeout', `The model did not answer a batch within ${timeoutMs} ms.`));
      }, timeoutMs);
      const done = (act: () => void) => {
        clearTimeout(timer);
        act();
      };
      pending = { resolve: (answer) => done(() => resolve(answer)), reject: (error) => done(() => reject(error)) };
      if (question) worker.postMessage(question satisfies ToThread, [question.data.buffer]);
    });
  }
  /**
   * The thread ends by itself, after the run it is in. It MUST NOT be terminated: native code is not interrupted, and a thread that is
   * terminated in the middle of a run takes the whole process along (ONNX Runtime 1.30 aborts).
   */
  function leave(): void {
    closed = true;
    worker.postMessage('close' satisfies ToThread);
  }
  async function close(): Promise<void> {
    if (closed) return;
    const idle = pending === null;
    leave();
    settle((waiting) => waiting.reject(new Failure('analysis/crashed', 'The model was closed.')));
    if (!idle) return;
    // Nothing else may hold the process that waits here.
    worker.ref();
    await ended;
  }

  const ready = await ask(null);
  if (ready.kind === 'refused') {
    await close();
    throw new Failure('model/invalid', `ONNX Runtime refuses the model: ${ready.reason}`);
  }
  return {
    async run(data, dims) {
      const answer = await ask({ data, dims });
      if (answer.kind === 'scores') return { data: answer.data };
      throw new Failure(
        'model/invalid',
        answer.kind === 'refused' ? `The model fails: ${answer.reason}` : 'No scores.',
      );
    },
    close,
  };
}
