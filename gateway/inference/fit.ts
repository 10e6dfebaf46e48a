import type { ModelSignature, Tensor, TensorSpec } from '../model/tensors.ts';
import { elementsIn } from '../model/tensors.ts';
import { elementsOf, shapeText } from './elements.ts';
import type { InferenceRequest, WireTensor } from './message.ts';
import { malformed } from './problem.ts';

/** What the model takes, in the order of its signature. */
export interface Fitted {
  readonly inputs: readonly Tensor[];
  /** Records in the request. */
  readonly batch: number;
}

/** Floats that another one holds without a loss. */
const WIDENS: Readonly<Record<string, readonly string[]>> = { FP32: ['FP16', 'BF16'], FP64: ['FP32', 'FP16', 'BF16'] };

/** Throws an InferenceProblem that says what was expected. Also checks the outputs that are asked for. */
export function fitToModel(request: InferenceRequest, { inputs: specs, outputs }: ModelSignature): Fitted {
  const names = request.inputs.map(({ name }) => name);
  const unknown = request.inputs.findIndex(({ name }) => !specs.some((spec) => spec.name === name));
  const only = specs.length === 1 ? specs[0] : undefined;
  if (unknown >= 0)
    throw malformed(
      `inputs.${unknown}.name: expected ${only ? JSON.stringify(only.name) : `one of ${specs.map(({ name }) => JSON.stringify(name)).join(', ')}`}, got ${JSON.stringify(names[unknown])}`,
    );
  if (new Set(names).size !== names.length || names.length !== specs.length)
    throw malformed(
      `inputs: expected ${specs.length === 1 ? 'exactly one tensor' : `each of ${specs.map(({ name }) => JSON.stringify(name)).join(', ')} once`}, got ${names.map((name) => JSON.stringify(name)).join(', ')}`,
    );
  for (const { name } of request.outputs ?? [])
    if (!outputs.some((output) => output.name === name))
      throw malformed(
        `outputs: ${JSON.stringify(name)} is not one of ${outputs.map((output) => output.name).join(', ')}`,
      );
  const inputs = specs.map((spec) => {
    const place = names.indexOf(spec.name);
    const tensor = request.inputs[place] as WireTensor;
    return {
      ...spec,
      shape: fittingShape(tensor, spec, `inputs.${place}`),
      data: elementsOf(tensor, spec.datatype, `inputs.${place}`),
    };
  });
  return { inputs, batch: batchOf(inputs, specs) };
}

function fittingShape({ datatype, shape }: WireTensor, spec: TensorSpec, place: string): readonly number[] {
  if (datatype !== spec.datatype && !WIDENS[spec.datatype]?.includes(datatype))
    throw malformed(`${place}.datatype: expected ${spec.datatype}, got ${datatype}`);
  const fits =
    shape.length === spec.shape.length && spec.shape.every((dim, index) => dim === -1 || dim === shape[index]);
  if (!fits) throw malformed(`${place}.shape: expected ${shapeText(spec.shape)}, got ${shapeText(shape)}`);
  return shape;
}

/** Where the first dimension of every input is open it counts the records, and all inputs have as many. */
function batchOf(inputs: readonly Tensor[], specs: readonly TensorSpec[]): number {
  const [first] = inputs;
  const batch = first?.shape[0] ?? 1;
  if (specs.every(({ shape }) => shape[0] === -1))
    inputs.forEach(({ name, shape }) => {
      if (shape[0] !== batch)
        throw malformed(
          `inputs: ${JSON.stringify(first?.name)} has ${batch} records and ${JSON.stringify(name)} ${shape[0]}: expected as many`,
        );
    });
  return batch;
}

/** For rules, which take tensors of numbers: rows of features, the first dimension counts them. */
export function fitToRules({ inputs: [first, ...others] }: InferenceRequest): {
  readonly input: Tensor;
  readonly rows: readonly (readonly number[])[];
} {
  if (!first || others.length > 0) throw malformed(`inputs: rules answer here and take exactly one tensor`);
  if (first.datatype === 'BYTES')
    throw malformed('inputs.0.datatype: expected numbers: rules answer here, and compare them');
  const datatype = first.datatype === 'BF16' || first.datatype === 'FP16' ? 'FP32' : first.datatype;
  const data = elementsOf(first, datatype, 'inputs.0');
  const values = Array.from(data as ArrayLike<number | bigint>, Number);
  const [count = 1] = first.shape;
  const width = elementsIn(first.shape) / count;
  return {
    input: { name: first.name, datatype, shape: first.shape, data },
    rows: Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width)),
  };
}
