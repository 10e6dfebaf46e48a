import { Failure } from '../../domain/incident/failure.ts';
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValue, Rest } from './model.ts';
import { readTensor } from './tensor.ts';
import { bytes, float, floats, int32, int64, int64s, invalid, message, readFields, text, type Place } from './wire.ts';

/** Larger files are not examined in memory; the finding says so. */
export const MAX_MODEL_BYTES = 1024 ** 3;
/** Fields and list elements in one file. A ResNet-152 has about 10 thousand; typed weight lists (without raw_data) one per weight. */
const MAX_ITEMS = 20_000_000;
/** A subgraph takes three levels (node, attribute, graph); real models stay under five subgraphs. */
const MAX_DEPTH = 64;

/**
 * Reads an ONNX model (ModelProto of onnx.proto3, github.com/onnx/onnx). The bytes come from a suspect: any reason not to understand them
 * is a `model/invalid` Failure, never a crash.
 */
export function readModel(encoded: Uint8Array): OnnxModel {
  if (encoded.byteLength === 0) throw invalid('the file is empty');
  if (encoded.byteLength > MAX_MODEL_BYTES)
    throw invalid(`it has ${encoded.byteLength} bytes, more than the ${MAX_MODEL_BYTES} that are examined`);
  try {
    return readModelProto(encoded, { allowance: { items: MAX_ITEMS }, depth: MAX_DEPTH });
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw invalid(error instanceof Error ? error.message : 'unknown error', error);
  }
}

function readModelProto(encoded: Uint8Array, place: Place): OnnxModel {
  let irVersion = 0n;
  let graph: OnnxGraph | null = null;
  const opsets: { domain: string; version: bigint }[] = [];
  const rest = readFields('ModelProto', encoded, place, {
    1: int64((value) => (irVersion = value)),
    7: message((value, inner) => (graph = readGraph(value, inner))),
    8: message((value, inner) => opsets.push(readOpset(value, inner)), true),
  });
  if (graph === null) throw invalid('it has no graph');
  if (opsets.length === 0) throw invalid('it names no operator set');
  return { irVersion, opsets, graph, rest };
}

function readOpset(encoded: Uint8Array, place: Place): { domain: string; version: bigint } {
  let domain = '';
  let version = 0n;
  const rest = readFields('OperatorSetIdProto', encoded, place, {
    1: text((value) => (domain = value)),
    2: int64((value) => (version = value)),
  });
  if (rest.length > 0) throw invalid(`operator set "${domain}" carries unknown fields`);
  return { domain, version };
}

function readGraph(encoded: Uint8Array, place: Place): OnnxGraph {
  let name = '';
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const values: OnnxValue[] = [];
  const rest = readFields('GraphProto', encoded, place, {
    1: message((value, inner) => nodes.push(readNode(value, inner)), true),
    2: text((value) => (name = value)),
    5: message((value, inner) => initializers.push(readTensor(value, inner)), true),
    11: message((value, inner) => inputs.push(readValue(value, inner)), true),
    12: message((value, inner) => outputs.push(readValue(value, inner)), true),
    13: message((value, inner) => values.push(readValue(value, inner)), true),
  });
  const names = new Set(initializers.map((tensor) => tensor.name));
  if (names.size !== initializers.length) throw invalid(`graph "${name}" has two initializers of one name`);
  return { name, nodes, initializers, inputs, outputs, values, rest };
}

function readNode(encoded: Uint8Array, place: Place): OnnxNode {
  const node = { name: '', opType: '', domain: '' };
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: OnnxAttribute[] = [];
  const rest = readFields('NodeProto', encoded, place, {
    1: text((value) => inputs.push(value), true),
    2: text((value) => outputs.push(value), true),
    3: text((value) => (node.name = value)),
    4: text((value) => (node.opType = value)),
    5: message((value, inner) => attributes.push(readAttribute(value, inner)), true),
    7: text((value) => (node.domain = value)),
  });
  const names = new Set(attributes.map((attribute) => attribute.name));
  if (names.size !== attributes.length) throw invalid(`a node ${node.opType} has two attributes of one name`);
  return { ...node, inputs, outputs, attributes, rest };
}

function readAttribute(encoded: Uint8Array, place: Place): OnnxAttribute {
  const scalar = { name: '', reference: '', type: 0, float: 0, int: 0n, string: new Uint8Array() as Uint8Array };
  let tensor: OnnxTensor | null = null;
  let graph: OnnxGraph | null = null;
  const list = {
    floats: [] as number[],
    ints: [] as bigint[],
    strings: [] as Uint8Array[],
    tensors: [] as OnnxTensor[],
    graphs: [] as OnnxGraph[],
  };
  const rest = readFields('AttributeProto', encoded, place, {
    1: text((value) => (scalar.name = value)),
    2: float((value) => (scalar.float = value)),
    3: int64((value) => (scalar.int = value)),
    4: bytes((value) => (scalar.string = value)),
    5: message((value, inner) => (tensor = readTensor(value, inner))),
    6: message((value, inner) => (graph = readGraph(value, inner))),
    7: floats((value) => list.floats.push(value)),
    8: int64s((value) => list.ints.push(value)),
    9: bytes((value) => list.strings.push(value), true),
    10: message((value, inner) => list.tensors.push(readTensor(value, inner)), true),
    11: message((value, inner) => list.graphs.push(readGraph(value, inner)), true),
    20: int32((value) => (scalar.type = value)),
    21: text((value) => (scalar.reference = value)),
  });
  return { ...scalar, ...list, tensor, graph, rest };
}

/** ValueInfoProto with a tensor type; other types (sequences, maps) stay in `rest`. */
function readValue(encoded: Uint8Array, place: Place): OnnxValue {
  let name = '';
  let type: Pick<OnnxValue, 'elementType' | 'shape' | 'rest'> = { elementType: null, shape: null, rest: [] };
  const rest = readFields('ValueInfoProto', encoded, place, {
    1: text((value) => (name = value)),
    2: message((value, inner) => (type = readType(value, inner))),
  });
  return { name, ...type, rest: [...rest, ...type.rest] };
}

function readType(encoded: Uint8Array, place: Place): Pick<OnnxValue, 'elementType' | 'shape' | 'rest'> {
  let elementType: number | null = null;
  let shape: OnnxValue['shape'] = null;
  const rest: Rest[] = [];
  const outer = readFields('TypeProto', encoded, place, {
    1: message((tensor, inner) => {
      const more = readFields('TypeProto.Tensor', tensor, inner, {
        1: int32((value) => (elementType = value)),
        2: message((value, innermost) => (shape = readShape(value, innermost, rest))),
      });
      rest.push(...more);
    }),
  });
  return { elementType, shape, rest: [...rest, ...outer] };
}

function readShape(encoded: Uint8Array, place: Place, rest: Rest[]): OnnxValue['shape'] {
  const shape: (number | string | null)[] = [];
  const outer = readFields('TensorShapeProto', encoded, place, {
    1: message((value, inner) => {
      let dim: number | string | null = null;
      const more = readFields('TensorShapeProto.Dimension', value, inner, {
        1: int64((size) => (dim = Number(size))),
        2: text((symbol) => (dim = symbol)),
      });
      shape.push(dim);
      rest.push(...more);
    }, true),
  });
  rest.push(...outer);
  return shape;
}
