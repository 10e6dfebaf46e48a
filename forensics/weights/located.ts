import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { Failure } from '../../domain/incident/failure.ts';
import { readScanned } from '../structure/file/read.ts';
import type { Tensor } from '../structure/file/model.ts';
import type { ByteRange } from './stream.ts';

const FLOAT32 = 1;

/** A float32 initializer, and where its values lie: in the model's file or in its external data. */
export interface LocatedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly range: ByteRange;
}

export interface LocatedModel {
  readonly weights: readonly LocatedWeight[];
  /** Float initializers that are not float32, or whose values stand in a list instead of a range. */
  readonly others: readonly string[];
  readonly external: boolean;
}

/**
 * Finds the values of every initializer without reading them (TensorProto `data_location`, github.com/onnx/onnx docs/ExternalData.md). External data
 * MUST lie in the model's folder: a file of a suspect does not choose what else is read. Anything else is a `model/invalid` Failure.
 */
export function locateWeights(path: string): LocatedModel {
  const bytes = readFileSync(path);
  const model = readScanned(bytes);
  const weights: LocatedWeight[] = [];
  const others: string[] = [];
  for (const scope of model.scopes)
    for (const tensor of scope.initializers) {
      if (!FLOATS.has(tensor.dataType)) continue;
      const name = scope.kind === 'graph' ? tensor.name : `${scope.path}/${tensor.name}`;
      const range = tensor.dataType === FLOAT32 ? rangeOf(path, bytes, tensor) : null;
      if (range) weights.push({ name, shape: tensor.dims.map(Number), range });
      else others.push(name);
    }
  return { weights, others, external: model.tensors.some((tensor) => tensor.isExternal) };
}

/** FLOAT, FLOAT16, DOUBLE, BFLOAT16 of TensorProto.DataType. */
const FLOATS = new Set([FLOAT32, 10, 11, 16]);

function rangeOf(path: string, bytes: Uint8Array, tensor: Tensor): ByteRange | null {
  const length = tensor.dims.reduce((product, dim) => product * Number(dim), 4);
  const range = tensor.isExternal
    ? externalRange(path, tensor, length)
    : tensor.raw && { path, offset: tensor.raw.byteOffset - bytes.byteOffset, length: tensor.raw.length };
  if (range && (range.length !== length || !Number.isSafeInteger(length)))
    throw new Failure(
      'model/invalid',
      `Tensor ${tensor.name} has ${range.length} bytes where its shape asks for ${length}.`,
    );
  return range;
}

function externalRange(path: string, tensor: Tensor, length: number): ByteRange {
  const entry = (key: string) => tensor.external.find(([name]) => name === key)?.[1];
  const location = entry('location') ?? '';
  const folder = realpathSync(dirname(resolve(path)));
  const file = join(folder, location);
  const refuse = (why: string) => new Failure('model/invalid', `The external data of tensor ${tensor.name} ${why}.`);
  if (location === '' || !file.startsWith(folder + sep))
    throw refuse(`is at ${JSON.stringify(location)}, not beside the model`);
  const real = statSync(file, { throwIfNoEntry: false })?.isFile() ? realpathSync(file) : null;
  if (real === null) throw refuse(`is missing: no file ${JSON.stringify(location)} beside the model`);
  if (!real.startsWith(folder + sep)) throw refuse(`is a link to outside of the model's folder`);
  const offset = Number(entry('offset') ?? 0);
  const stated = Number(entry('length') ?? length);
  if (![offset, stated].every((value) => Number.isSafeInteger(value) && value >= 0)) throw refuse('has no valid range');
  return { path: real, offset, length: stated };
}
