import { DATA_TYPES, dataTypeName } from '../../onnx/model.ts';
import type { Tensor } from '../file/model.ts';
import { declaredElements, elements, heldElements, joined } from '../file/numbers.ts';
import { hiddenInLowBits } from '../low-bits.ts';
import { codeIn, payloadIn } from '../payload.ts';
import type { Hit, Rule } from '../rule.ts';

/** Typed list that each data type may use (TensorProto of onnx.proto3). */
const LIST_OF_TYPE: Readonly<Record<number, number>> = { 1: 4, 14: 4, 11: 10, 15: 10, 8: 6, 7: 7, 12: 11, 13: 11 };
const MAX_RANK = 32;
/** A serialised tensor cannot be larger than the format's 2 GiB; eight times that for packed types and sparse shapes. */
const MAX_ELEMENTS = 2 ** 34;

function* everywhere(tensors: readonly Tensor[], find: (tensor: Tensor) => string | null): Iterable<Hit> {
  for (const tensor of tensors) {
    const words = find(tensor);
    if (words !== null) yield { place: tensor.path, words };
  }
}

/** The little-endian bytes of binary32 values, as they stand in the file. */
export function singles(tensor: Tensor): Uint8Array | null {
  if (tensor.dataType !== 1) return null;
  return tensor.raw ?? joined((tensor.lists.get(4) ?? []).filter((part) => part instanceof Uint8Array));
}

interface NonFinite {
  readonly nan: number;
  readonly infinite: number;
}

/** Exponent all ones: infinite with an empty fraction, NaN otherwise. Reads the bits, because a DataView call for each weight is slow. */
function nonFinite(tensor: Tensor): NonFinite {
  let [nan, infinite] = [0, 0];
  const raw = singles(tensor);
  if (raw !== null) {
    const aligned = raw.byteOffset % 4 === 0 ? raw : raw.slice();
    const words = new Uint32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.length / 4));
    for (let at = 0; at < words.length; at++) {
      const bits = (words[at] ?? 0) & 0x7fffffff;
      if (bits < 0x7f800000) continue;
      if (bits === 0x7f800000) infinite++;
      else nan++;
    }
  } else if ([10, 11, 16].includes(tensor.dataType))
    for (const value of elements(tensor, 20_000_000))
      if (Number.isNaN(value)) nan++;
      else if (!Number.isFinite(value)) infinite++;
  return { nan, infinite };
}

const LEARNING = new Set([
  'MatMul',
  'Gemm',
  'Conv',
  'ConvTranspose',
  'BatchNormalization',
  'LSTM',
  'GRU',
  'RNN',
  'LayerNormalization',
  'InstanceNormalization',
  'GroupNormalization',
]);

export const tensorRules: readonly Rule[] = [
  {
    id: 'tensor/two-places',
    level: 'alarm',
    meaning: 'A tensor has its values twice: an engine may read others than an examiner.',
    check: ({ model }) =>
      everywhere(model.tensors, (tensor) => {
        const places = tensor.lists.size + (tensor.raw === null ? 0 : 1);
        return places > 1 ? `values in ${places} fields` : null;
      }),
  },
  {
    id: 'tensor/wrong-list',
    level: 'alarm',
    meaning: 'Values lie in a field that does not belong to the data type.',
    check: ({ model }) =>
      everywhere(model.tensors, (tensor) => {
        if (tensor.dataType === 8 && tensor.raw !== null) return 'text in raw_data';
        if (tensor.raw !== null) return null;
        const right = LIST_OF_TYPE[tensor.dataType] ?? 5;
        const wrong = [...tensor.lists.keys()].find((field) => field !== right);
        return wrong === undefined ? null : `${dataTypeName(tensor.dataType)} in field ${wrong}`;
      }),
  },
  {
    id: 'tensor/length',
    level: 'alarm',
    meaning: 'A tensor holds more or fewer values than its shape says: the rest is cargo, or a read beyond the end.',
    check: ({ model }) =>
      everywhere(model.tensors, (tensor) => {
        const [held, declared] = [heldElements(tensor), declaredElements(tensor.dims)];
        return held !== null && declared !== null && held !== declared
          ? `holds ${held} elements for the shape [${tensor.dims.slice(0, 8).join(', ')}]`
          : null;
      }),
  },
  {
    id: 'tensor/shape',
    level: 'alarm',
    meaning: 'A shape that no machine can hold.',
    check: ({ model }) =>
      everywhere(model.tensors, (tensor) => {
        const declared = declaredElements(tensor.dims);
        if (tensor.dims.length > MAX_RANK) return `${tensor.dims.length} dimensions`;
        return declared === null || declared > MAX_ELEMENTS
          ? `the shape [${tensor.dims.slice(0, 8).join(', ')}]`
          : null;
      }),
  },
  {
    id: 'tensor/type',
    level: 'alarm',
    meaning: 'A data type that the format does not have.',
    check: ({ model }) =>
      everywhere(model.tensors, (tensor) =>
        DATA_TYPES[tensor.dataType] === undefined && tensor.dataType !== 25 && tensor.dataType !== 26
          ? `data type ${tensor.dataType}`
          : null,
      ),
  },
  {
    id: 'tensor/non-finite',
    level: 'note',
    alarmingWhenNew: true,
    meaning: 'Values that are no numbers. Masks are made of −∞; weights are not, and NaN makes every answer NaN.',
    *check({ model }) {
      const weights = new Set<Tensor>();
      for (const scope of model.scopes) {
        const held = new Map(scope.initializers.map((tensor) => [tensor.name, tensor]));
        for (const node of scope.nodes)
          if (LEARNING.has(node.opType))
            for (const name of node.inputs) {
              const tensor = held.get(name);
              if (tensor) weights.add(tensor);
            }
      }
      for (const tensor of model.tensors) {
        const { nan, infinite } = nonFinite(tensor);
        if (nan + infinite > 0)
          yield {
            place: tensor.path,
            words: `${nan} NaN, ${infinite} infinite`,
            level:
              weights.has(tensor) || (nan > 0 && tensor.role === 'initializer' && nan + infinite > 1)
                ? 'alarm'
                : 'note',
          };
      }
    },
  },
  {
    id: 'tensor/program',
    level: 'alarm',
    meaning: 'A program, an archive or a pickle lies among the weights.',
    check: ({ model }) =>
      everywhere(model.tensors, (tensor) => {
        if (tensor.raw !== null) return payloadIn(tensor.raw);
        for (const parts of tensor.lists.values()) {
          const spelled = parts.length > 0 && parts.every((part) => typeof part === 'bigint');
          const bytes = spelled
            ? Uint8Array.from(parts as readonly bigint[], (part) => Number(BigInt.asUintN(8, part)))
            : joined(parts.filter((part) => part instanceof Uint8Array));
          const found = bytes.length > 8 ? payloadIn(bytes) : null;
          if (found !== null) return found;
        }
        const narrow = [2, 3, 6, 7].includes(tensor.dataType) ? elements(tensor, 65_536) : null;
        return narrow !== null && narrow.length > 8 ? payloadIn(Uint8Array.from(narrow, (value) => value & 255)) : null;
      }),
  },
  {
    id: 'tensor/code',
    level: 'alarm',
    meaning: 'Numbers that spell code: one character for each element, or as bytes.',
    check: ({ model }) =>
      everywhere(model.tensors, (tensor) => {
        if (tensor.dataType === 8) return null;
        const head = tensor.raw?.subarray(0, 65_536);
        const bytes = head ? codeIn(Buffer.from(head).toString('latin1')) : null;
        if (bytes !== null && head && mostlyText(head)) return bytes;
        const spelled = elements(tensor, 65_536).filter((value) => Number.isInteger(value) && value > 8 && value < 127);
        return spelled.length > 16 ? codeIn(String.fromCharCode(...spelled.subarray(0, 8192))) : null;
      }),
  },
  {
    id: 'tensor/low-bits',
    level: 'alarm',
    meaning: 'The low bits of the weights spell something; the low bits of honest weights are noise or zero.',
    check: ({ model }) =>
      everywhere(model.tensors, (tensor) => {
        const raw = singles(tensor);
        return raw === null || raw.length < 256 ? null : hiddenInLowBits(raw);
      }),
  },
  {
    id: 'tensor/sparse',
    level: 'alarm',
    meaning: 'A sparse tensor whose indices lie outside its shape, stand twice, or do not match its values.',
    *check({ model }) {
      for (const sparse of model.sparse) {
        const declared = declaredElements(sparse.dims);
        const problem = sparseProblem(sparse, declared);
        if (problem !== null) yield { place: sparse.path, words: problem };
      }
    },
  },
];

function mostlyText(bytes: Uint8Array): boolean {
  let text = 0;
  for (const byte of bytes) if ((byte >= 32 && byte < 127) || byte === 10 || byte === 9) text++;
  return text > bytes.length * 0.5;
}

function sparseProblem(
  { dims, values, indices }: { dims: readonly bigint[]; values: Tensor | null; indices: Tensor | null },
  declared: number | null,
): string | null {
  if (values === null || indices === null) return 'has no values or no indices';
  if (declared === null || declared > MAX_ELEMENTS) return `the shape [${dims.slice(0, 8).join(', ')}]`;
  const count = heldElements(values);
  const flat = indices.dims.length < 2;
  const width = flat ? 1 : dims.length;
  const held = elements(indices, 4_000_000);
  if (count !== null && held.length !== count * width) return `${held.length} indices for ${count} values`;
  let before = -1;
  for (let at = 0; at + width <= held.length; at += width) {
    let position = 0;
    for (let axis = 0; axis < width; axis++) {
      const [index, size] = [held[at + axis] ?? 0, flat ? declared : Number(dims[axis])];
      if (index < 0 || index >= size) return `index ${index} outside of ${size}`;
      position = flat ? index : position * size + index;
    }
    if (position <= before) return 'indices are not in ascending order';
    before = position;
  }
  return null;
}
