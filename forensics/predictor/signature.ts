import { Failure } from '../../domain/incident/failure.ts';
import { dataTypeName, type OnnxModel, type OnnxValue } from '../onnx/model.ts';

/** What a classifier looks like from outside: one float input [batch, …], one float output of scores per record. */
export interface ModelSignature {
  readonly input: string;
  readonly output: string;
  /** Records per run where the graph fixes it, null where any number goes. */
  readonly batch: number | null;
  readonly featureShape: readonly number[] | null;
}

const FLOAT = 1;

/** Fails with `model/invalid` where the model has not exactly one float input, or no float output. The first float output counts. */
export function modelSignature(model: OnnxModel): ModelSignature {
  // Up to IR version 3 initializers are listed among the inputs.
  const initializers = new Set(model.graph.initializers.map((tensor) => tensor.name));
  const inputs = model.graph.inputs.filter((value) => !initializers.has(value.name));
  const [input, ...others] = inputs;
  if (!input || others.length > 0)
    throw new Failure('model/invalid', `The model has ${inputs.length} inputs; one is what this station can ask.`);
  if (input.elementType !== FLOAT)
    throw new Failure('model/invalid', `The model's input "${input.name}" is ${typeOf(input)}, not a float tensor.`);
  const output = model.graph.outputs.find((value) => value.elementType === FLOAT);
  if (!output) throw new Failure('model/invalid', 'The model has no float output.');
  const [batch, ...record] = input.shape ?? [];
  const closed = record.filter((dim): dim is number => typeof dim === 'number' && dim > 0);
  return {
    input: input.name,
    output: output.name,
    batch: typeof batch === 'number' && batch > 0 ? batch : null,
    featureShape: record.length > 0 && closed.length === record.length ? closed : null,
  };
}

function typeOf(value: OnnxValue): string {
  return value.elementType === null ? 'no tensor' : dataTypeName(value.elementType);
}
