import { digestOfJson } from '../../domain/proofs/canonical-json.ts';
import { digestOf, type Digest } from '../../domain/proofs/digest.ts';
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from './model.ts';

/**
 * Digest of everything in the model except the values of float initializers: operators, wiring, attributes, constants, names, shapes, types,
 * nested subgraphs, and by their bytes all fields this reader has no name for. Training moves float initializers and nothing else, so two
 * models of one graph hash differ in what was learned only. Whether values lie in `raw_data` or in a typed list makes no difference.
 */
export function graphHash(model: OnnxModel): Digest {
  return digestOfJson({
    schema: 'lazaret.onnx-graph/v1',
    irVersion: String(model.irVersion),
    opsets: model.opsets.map((opset) => ({ domain: opset.domain, version: String(opset.version) })),
    graph: graphForm(model.graph),
    rest: model.rest.map((rest) => ({ ...rest })),
  });
}

function graphForm(graph: OnnxGraph): object {
  return {
    name: graph.name,
    nodes: graph.nodes.map(nodeForm),
    initializers: graph.initializers.map((tensor) => tensorForm(tensor, 'shape')),
    inputs: graph.inputs.map(valueForm),
    outputs: graph.outputs.map(valueForm),
    values: graph.values.map(valueForm),
    rest: graph.rest.map((rest) => ({ ...rest })),
  };
}

/** The canonical form of one node: two nodes compute the same from the same inputs when their forms are equal. */
export function nodeForm(node: OnnxNode): object {
  return {
    name: node.name,
    opType: node.opType,
    domain: node.domain,
    inputs: [...node.inputs],
    outputs: [...node.outputs],
    attributes: node.attributes.map(attributeForm),
    rest: node.rest.map((rest) => ({ ...rest })),
  };
}

export function attributeForm(attribute: OnnxAttribute): object {
  return {
    name: attribute.name,
    type: attribute.type,
    reference: attribute.reference,
    float: bits(attribute.float),
    int: String(attribute.int),
    string: digestOf(attribute.string),
    tensor: attribute.tensor && tensorForm(attribute.tensor, 'content'),
    graph: attribute.graph && graphForm(attribute.graph),
    floats: attribute.floats.map(bits),
    ints: attribute.ints.map(String),
    strings: attribute.strings.map((item) => digestOf(item)),
    tensors: attribute.tensors.map((tensor) => tensorForm(tensor, 'content')),
    graphs: attribute.graphs.map(graphForm),
    rest: attribute.rest.map((rest) => ({ ...rest })),
  };
}

/** An initializer of a float type is its `shape` only; every other tensor is its content as well. */
export function tensorForm(tensor: OnnxTensor, as: 'shape' | 'content'): object {
  const learned = as === 'shape' && tensor.values !== null;
  return {
    name: tensor.name,
    dataType: tensor.dataType,
    dims: [...tensor.dims],
    content: learned ? null : digestOf(tensor.raw),
    rest: tensor.rest.map((rest) => ({ ...rest })),
  };
}

export function valueForm(value: OnnxValue): object {
  return {
    name: value.name,
    elementType: value.elementType,
    shape: value.shape && [...value.shape],
    rest: value.rest.map((rest) => ({ ...rest })),
  };
}

const scratch = new DataView(new ArrayBuffer(4));
/** The bits of a binary32 in hex: exact, and defined for NaN and −0, which JSON has no form for. */
function bits(value: number): string {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0).toString(16).padStart(8, '0');
}
