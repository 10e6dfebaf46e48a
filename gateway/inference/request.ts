import { z } from 'zod';
import {
  DATATYPES,
  elementsOf,
  unfit,
  type Elements,
  type ElementType,
  type ModelSignature,
} from '../model/tensors.ts';
import { malformed } from './problem.ts';

/** One inference request as it came in, before it is known which model will answer it (Open Inference Protocol v2, HTTP/JSON). */
export interface InferenceRequest {
  /** The client's own id, or one that was made for it. */
  readonly id: string;
  readonly client: string;
  readonly version: string | null;
  readonly input: RawTensor;
  /** Names of the outputs that are asked for; null for all. */
  readonly outputs: readonly string[] | null;
}

export interface RawTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Flat or nested, not looked at yet. */
  readonly data: readonly unknown[];
}

/** A tensor that the model takes: `values` is flat, row-major. */
export interface InputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

const MAX_ID_CHARACTERS = 200;
const MAX_RANK = 16;
const list = z.custom<readonly unknown[]>((value) => Array.isArray(value), { error: 'expected an array' });
const parameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional();
const bodySchema = z.object({
  id: z.string().max(MAX_ID_CHARACTERS).optional(),
  parameters,
  inputs: z
    .array(
      z.object({
        name: z.string().max(1000),
        shape: z.array(z.number().int().min(1)).min(1).max(MAX_RANK),
        datatype: z.string().max(20),
        parameters,
        // Large: its elements are checked once, when it is known what they have to be.
        data: list,
      }),
    )
    .min(1)
    .max(16),
  outputs: z
    .array(z.object({ name: z.string().max(1000), parameters }))
    .max(100)
    .optional(),
});

/** Throws an InferenceProblem that says what was expected and where. */
export function readInferenceRequest(
  body: unknown,
  about: { readonly client: string; readonly version: string | null; readonly newId: () => string },
): InferenceRequest {
  refuseBinary(body);
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) {
    const places = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`);
    throw malformed(places.slice(0, 5).join('; '));
  }
  const [input, ...others] = parsed.data.inputs;
  if (!input || others.length > 0)
    throw malformed(`inputs: expected exactly one tensor, got ${parsed.data.inputs.length}`);
  return {
    id: parsed.data.id || about.newId(),
    client: about.client,
    version: about.version,
    input,
    outputs: parsed.data.outputs?.length ? parsed.data.outputs.map((output) => output.name) : null,
  };
}

/** The binary tensor extension sends sizes instead of data: a plain answer helps more than "expected an array". */
function refuseBinary(body: unknown): void {
  const inputs = typeof body === 'object' && body !== null && 'inputs' in body ? body.inputs : null;
  if (!Array.isArray(inputs)) return;
  for (const input of inputs as unknown[])
    if (
      typeof input === 'object' &&
      input !== null &&
      'parameters' in input &&
      typeof input.parameters === 'object' &&
      input.parameters !== null &&
      'binary_data_size' in input.parameters
    )
      throw malformed('the binary tensor data extension is not supported: send the data as JSON numbers');
}

/** What the model takes, or an InferenceProblem. Also checks the outputs that are asked for. */
export function fitToModel(
  request: InferenceRequest,
  { input: spec, outputs }: ModelSignature,
): { input: InputTensor; elements: Elements; batch: number } {
  const { input } = request;
  if (input.name !== spec.name)
    throw malformed(`inputs.0.name: expected ${JSON.stringify(spec.name)}, got ${JSON.stringify(input.name)}`);
  if (input.datatype !== DATATYPES[spec.type])
    throw malformed(`inputs.0.datatype: expected ${DATATYPES[spec.type]}, got ${input.datatype}`);
  const fits =
    input.shape.length === spec.shape.length &&
    spec.shape.every((dim, index) => dim === -1 || dim === input.shape[index]);
  if (!fits) throw malformed(`inputs.0.shape: expected ${shapeText(spec.shape)}, got ${shapeText(input.shape)}`);
  for (const name of request.outputs ?? [])
    if (!outputs.some((output) => output.name === name))
      throw malformed(
        `outputs: ${JSON.stringify(name)} is not one of ${outputs.map((output) => output.name).join(', ')}`,
      );
  const values = flatten(input, spec.type);
  return {
    input: { name: input.name, datatype: input.datatype, shape: input.shape, values },
    elements: elementsOf(spec.type, values),
    batch: input.shape[0] ?? 1,
  };
}

/** For rules, which take any tensor of numbers: rows of features, the first dimension counts them. */
export function fitToRules({ input }: InferenceRequest): { input: InputTensor; rows: readonly (readonly number[])[] } {
  const type = typeOf(input.datatype);
  const values = flatten(input, type);
  const [count = 1] = input.shape;
  const width = values.length / count;
  return {
    input: { name: input.name, datatype: input.datatype, shape: input.shape, values },
    rows: Array.from({ length: count }, (_, row) => values.slice(row * width, (row + 1) * width)),
  };
}

function typeOf(datatype: string): ElementType {
  for (const type of Object.keys(DATATYPES) as ElementType[]) if (DATATYPES[type] === datatype) return type;
  throw malformed(`inputs.0.datatype: expected one of ${Object.values(DATATYPES).join(', ')}, got ${datatype}`);
}

/** OIP v2 allows flat data and data nested as its shape says; both are row-major. Anything between is refused. */
function flatten(input: RawTensor, type: ElementType): readonly number[] {
  const wanted = input.shape.reduce((product, dim) => product * dim, 1);
  const values: number[] = [];
  const number = (value: unknown): void => {
    const given = type === 'bool' && typeof value === 'boolean' ? Number(value) : value;
    const problem = typeof given === 'number' ? unfit(type, given) : `a number (${DATATYPES[type]})`;
    if (problem !== null) throw malformed(`inputs.0.data: element ${values.length}: expected ${problem}`);
    values.push(given as number);
  };
  const nested = (part: unknown, depth: number): void => {
    const length = input.shape[depth];
    if (length === undefined) return number(part);
    if (!Array.isArray(part) || part.length !== length)
      throw malformed(`inputs.0.data: expected nested arrays of the shape ${shapeText(input.shape)}`);
    for (const item of part) nested(item, depth + 1);
  };
  if (Array.isArray(input.data[0])) {
    nested(input.data, 0);
    return values;
  }
  if (input.data.length !== wanted)
    throw malformed(
      `inputs.0.data: the shape ${shapeText(input.shape)} holds ${wanted} elements, got ${input.data.length}`,
    );
  for (const value of input.data) number(value);
  return values;
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
