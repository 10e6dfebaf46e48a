import { InferenceSession, Tensor as EngineTensor } from 'onnxruntime-node';
import type { Run } from './thread-protocol.ts';
import {
  datatypeOf,
  elementsIn,
  emptyArray,
  ENGINE_TYPES,
  type ModelSignature,
  type Tensor,
  type TensorData,
  type TensorSpec,
} from './tensors.ts';

/** ONNX Runtime over one model, for the thread it lives in: `run` blocks. */
export interface Engine {
  readonly signature: ModelSignature;
  /** One answer for each request. More than one request only where `warmUp` allowed it. */
  run(requests: readonly Run['inputs'][]): Promise<readonly (readonly Tensor[])[]>;
  /** Runs what costs more the first time. True where rows do not touch each other, so that requests of strangers may share a run. */
  warmUp(): Promise<boolean>;
  release(): Promise<void>;
}

/** Throws where the engine does not take the bytes, or the model cannot be served. */
export async function createEngine(bytes: Uint8Array<ArrayBuffer>): Promise<Engine> {
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
  const open = [...signature.inputs, ...signature.outputs].every(({ shape }) => shape[0] === -1);

  async function ask(inputs: Run['inputs']): Promise<readonly Tensor[]> {
    const feeds = Object.fromEntries(
      signature.inputs.map(({ name, datatype }, index) => {
        const { shape, data } = inputs[index] ?? { shape: [], data: [] };
        return [name, engineTensor(datatype, shape, data)];
      }),
    );
    const outputs = await session.run(feeds, names);
    return signature.outputs.map(({ name, datatype }) => {
      const tensor = outputs[name];
      if (!tensor) throw new Error(`the output ${name} is missing`);
      return { name, datatype, shape: tensor.dims, data: tensor.data as TensorData };
    });
  }

  const engine: Engine = {
    signature,
    async run(requests) {
      const [first, ...others] = requests;
      if (!first) return [];
      if (others.length === 0) return [await ask(first)];
      const rows = requests.map(([input]) => input?.shape[0] ?? 0);
      return parted(await ask(joined(requests)), rows);
    },
    async warmUp() {
      const records = exampleRecords(signature);
      if (records === null) return false;
      try {
        const alone = [await engine.run([records[0]]), await engine.run([records[1]])].flat();
        if (!open) return false;
        const together = await engine.run(records);
        return alone.every((outputs, record) => alike(outputs, together[record] ?? []));
      } catch {
        // A model that takes no example can still take what its clients send.
        return false;
      }
    },
    release: () => session.release(),
  };
  return engine;
}

function engineTensor(datatype: TensorSpec['datatype'], shape: readonly number[], data: TensorData): EngineTensor {
  // The overloads of the constructor have one case for each type, and this is all of them.
  return new EngineTensor(ENGINE_TYPES[datatype] as 'float32', data as Float32Array, [...shape]);
}

function joined(requests: readonly Run['inputs'][]): Run['inputs'] {
  const [first = []] = requests;
  return first.map(({ shape }, index) => {
    const parts = requests.map((inputs) => inputs[index]?.data ?? []);
    const rows = requests.reduce((sum, inputs) => sum + (inputs[index]?.shape[0] ?? 0), 0);
    return { shape: [rows, ...shape.slice(1)], data: concatenated(parts) };
  });
}

function concatenated(parts: readonly TensorData[]): TensorData {
  const [first] = parts;
  if (first === undefined || Array.isArray(first)) return parts.flatMap((part) => part as readonly string[]);
  const arrays = parts as readonly Float32Array<ArrayBuffer>[];
  const make = (first as Float32Array<ArrayBuffer>).constructor as Float32ArrayConstructor;
  const whole = new make(arrays.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of arrays) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Throws where an output does not have a row for every row of the inputs. */
function parted(outputs: readonly Tensor[], rows: readonly number[]): readonly (readonly Tensor[])[] {
  const all = rows.reduce((sum, count) => sum + count, 0);
  let from = 0;
  return rows.map((count) => {
    const start = from;
    from += count;
    return outputs.map((output) => {
      if (output.shape[0] !== all) throw new Error(`the output ${output.name} has ${output.shape[0]} rows for ${all}`);
      const width = elementsIn(output.shape.slice(1));
      return {
        ...output,
        shape: [count, ...output.shape.slice(1)],
        data: output.data.slice(start * width, (start + count) * width) as TensorData,
      };
    });
  });
}

/** Two records that differ; null where the shape of a record is open. Whole numbers are 0 and 1, which every table of embeddings has. */
function exampleRecords({ inputs }: ModelSignature): readonly [Run['inputs'], Run['inputs']] | null {
  if (inputs.some(({ shape }) => shape.slice(1).includes(-1))) return null;
  const record = (number: 0 | 1): Run['inputs'] =>
    inputs.map(({ datatype, shape: [rows, ...rest] }) => {
      const shape = [rows === undefined || rows === -1 ? 1 : rows, ...rest];
      const count = elementsIn(rows === undefined ? [] : shape);
      if (datatype === 'BYTES') return { shape, data: new Array<string>(count).fill(String(number)) };
      const data = emptyArray(datatype, count);
      // FP16 has the bits of small numbers that way.
      const floats = datatype === 'FP32' || datatype === 'FP64';
      for (let index = 0; index < data.length; index += 1)
        if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[index] = BigInt(number);
        else data[index] = floats ? ((index + 7 * number) % 13) / 13 : number;
      return { shape: rows === undefined ? [] : shape, data };
    });
  return [record(0), record(1)];
}

/** Kernels round otherwise for another number of rows. */
const ROUNDING = 1e-3;

function alike(one: readonly Tensor[], other: readonly Tensor[]): boolean {
  return one.every(({ data }, index) => {
    const theirs = other[index]?.data ?? [];
    if (data.length !== theirs.length) return false;
    for (let place = 0; place < data.length; place += 1) {
      const [mine, their] = [data[place], theirs[place]];
      if (typeof mine !== 'number' || typeof their !== 'number') {
        if (mine !== their) return false;
      } else if (!(Math.abs(mine - their) <= ROUNDING * Math.max(1, Math.abs(mine)))) return false;
    }
    return true;
  });
}

function signatureOf(session: InferenceSession): ModelSignature {
  const inputs = session.inputMetadata.map((input) => specOf(input) ?? refused(input.name));
  if (inputs.length === 0) throw new Error('the model has no input');
  const outputs = session.outputMetadata.flatMap((output) => specOf(output) ?? []);
  const scores = outputs.find(({ datatype }) => datatype === 'FP32' || datatype === 'FP64' || datatype === 'FP16');
  if (!scores) throw new Error('the model has no float output');
  return { inputs, outputs, scores: scores.name };
}

function refused(name: string): never {
  throw new Error(`the input ${name} is not a tensor that can be sent`);
}

function specOf(value: InferenceSession.ValueMetadata): TensorSpec | null {
  const datatype = value.isTensor ? datatypeOf(value.type) : null;
  if (!value.isTensor || datatype === null) return null;
  const shape = value.shape.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : -1));
  return { name: value.name, datatype, shape };
}
