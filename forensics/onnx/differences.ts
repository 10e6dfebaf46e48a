import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { attributeForm, nodeForm, tensorForm, valueForm } from './graph-hash.ts';
import {
  dataTypeName,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  type Rest,
} from './model.ts';

/** What differs between two graphs, in words. `computation` can change an answer; `description` is names and texts around it. */
export interface Differences {
  readonly computation: readonly string[];
  readonly description: readonly string[];
}

interface Notes {
  readonly computation: string[];
  readonly description: string[];
}

/** Differences of the suspect against the golden model, written `golden → suspect`. Complete: unequal graph hashes give at least one. */
export function describeDifferences(suspect: OnnxModel, golden: OnnxModel): Differences {
  const notes: Notes = { computation: [], description: [] };
  if (suspect.irVersion !== golden.irVersion)
    notes.description.push(`IR version ${golden.irVersion} → ${suspect.irVersion}`);
  const [before, after] = [golden, suspect].map((model) =>
    model.opsets.map((opset) => `${opset.domain || 'ai.onnx'} ${opset.version}`).join(', '),
  );
  if (before !== after) notes.computation.push(`operator sets ${before} → ${after}`);
  compareRest(golden.rest, suspect.rest, 'model', notes);
  compareGraphs(golden.graph, suspect.graph, '', notes);
  if (notes.computation.length + notes.description.length === 0)
    notes.computation.push('the canonical forms differ in a place that has no words');
  return notes;
}

function compareGraphs(golden: OnnxGraph, suspect: OnnxGraph, where: string, notes: Notes): void {
  if (golden.name !== suspect.name)
    notes.description.push(`${where}graph name ${JSON.stringify(golden.name)} → ${JSON.stringify(suspect.name)}`);
  compareNodes(golden.nodes, suspect.nodes, where, notes);
  compareValues(golden.inputs, suspect.inputs, `${where}input`, notes.computation);
  compareValues(golden.outputs, suspect.outputs, `${where}output`, notes.computation);
  compareValues(golden.values, suspect.values, `${where}intermediate value`, notes.description);
  compareInitializers(golden.initializers, suspect.initializers, where, notes);
  compareRest(golden.rest, suspect.rest, `${where}graph`, notes);
}

/** Nodes are matched by their first output, because a name of a value is written once in a graph and an inserted node shifts all positions. */
function compareNodes(golden: readonly OnnxNode[], suspect: readonly OnnxNode[], where: string, notes: Notes): void {
  const key = (node: OnnxNode, index: number) => node.outputs[0] ?? `#${index}`;
  const before = new Map(golden.map((node, index) => [key(node, index), node]));
  const after = new Map(suspect.map((node, index) => [key(node, index), node]));
  golden.forEach((node, index) => {
    if (!after.has(key(node, index))) notes.computation.push(`${where}${title(node, index)}: removed`);
  });
  suspect.forEach((node, index) => {
    const match = before.get(key(node, index));
    const label = `${where}${title(node, index)}`;
    if (!match) notes.computation.push(`${label}: added, reads ${node.inputs.join(', ') || 'nothing'}`);
    else if (canonicalJson(nodeForm(match)) !== canonicalJson(nodeForm(node))) compareNode(match, node, label, notes);
  });
  const shared = (nodes: readonly OnnxNode[], others: ReadonlyMap<string, OnnxNode>) =>
    nodes
      .map(key)
      .filter((output) => others.has(output))
      .join('\n');
  if (shared(golden, after) !== shared(suspect, before)) notes.description.push(`${where}nodes are in another order`);
}

function title(node: OnnxNode, index: number): string {
  return `node ${index} ${node.domain ? `${node.domain}.` : ''}${node.opType}`;
}

function compareNode(golden: OnnxNode, suspect: OnnxNode, label: string, notes: Notes): void {
  const operator = (node: OnnxNode) => `${node.domain ? `${node.domain}.` : ''}${node.opType}`;
  if (operator(golden) !== operator(suspect))
    notes.computation.push(`${label}: operator ${operator(golden)} → ${operator(suspect)}`);
  if (golden.inputs.join('\n') !== suspect.inputs.join('\n'))
    notes.computation.push(`${label}: inputs ${golden.inputs.join(', ')} → ${suspect.inputs.join(', ')}`);
  if (golden.outputs.join('\n') !== suspect.outputs.join('\n'))
    notes.computation.push(`${label}: outputs ${golden.outputs.join(', ')} → ${suspect.outputs.join(', ')}`);
  if (golden.name !== suspect.name) notes.description.push(`${label}: name ${golden.name} → ${suspect.name}`);
  compareRest(golden.rest, suspect.rest, label, notes);
  const names = new Set([...golden.attributes, ...suspect.attributes].map((attribute) => attribute.name));
  for (const name of names) {
    const before = golden.attributes.find((attribute) => attribute.name === name);
    const after = suspect.attributes.find((attribute) => attribute.name === name);
    if (!before || !after) {
      const present = after ?? before;
      notes.computation.push(
        `${label}: attribute ${name} ${present ? describeAttribute(present) : ''} ${after ? 'added' : 'removed'}`,
      );
    } else if (canonicalJson(attributeForm(before)) !== canonicalJson(attributeForm(after))) {
      if (before.graph && after.graph) compareGraphs(before.graph, after.graph, `${label}, subgraph ${name}: `, notes);
      const [from, to] = [describeAttribute(before), describeAttribute(after)];
      if (from !== to || !before.graph) notes.computation.push(`${label}: attribute ${name} ${from} → ${to}`);
    }
  }
}

const MAX_SHOWN = 8;
function list(items: readonly (number | bigint | string)[]): string {
  return `[${items.slice(0, MAX_SHOWN).join(',')}${items.length > MAX_SHOWN ? ',…' : ''}]`;
}

function describeAttribute(attribute: OnnxAttribute): string {
  const text = (bytes: Uint8Array) => JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 80)));
  // AttributeProto.AttributeType of onnx.proto3.
  switch (attribute.type) {
    case 1:
      return String(attribute.float);
    case 2:
      return String(attribute.int);
    case 3:
      return text(attribute.string);
    case 4:
      return attribute.tensor ? describeTensor(attribute.tensor) : 'no tensor';
    case 5:
      return 'a subgraph';
    case 6:
      return list(attribute.floats);
    case 7:
      return list(attribute.ints);
    case 8:
      return list(attribute.strings.map(text));
    default:
      return `a value of attribute type ${attribute.type}`;
  }
}

function describeTensor(tensor: OnnxTensor): string {
  const shown = tensor.values ? ` ${list([...tensor.values.subarray(0, MAX_SHOWN + 1)])}` : '';
  return `${dataTypeName(tensor.dataType)}[${tensor.dims.join(',')}]${shown}`;
}

function compareValues(
  golden: readonly OnnxValue[],
  suspect: readonly OnnxValue[],
  kind: string,
  notes: string[],
): void {
  const describe = (value: OnnxValue) =>
    `${value.elementType === null ? 'untyped' : dataTypeName(value.elementType)}[${(value.shape ?? ['…']).map((dim) => dim ?? '?').join(',')}]`;
  matchByName(golden, suspect, kind, notes, (before, after) =>
    canonicalJson(valueForm(before)) === canonicalJson(valueForm(after))
      ? null
      : `${describe(before)} → ${describe(after)}`,
  );
}

function compareInitializers(
  golden: readonly OnnxTensor[],
  suspect: readonly OnnxTensor[],
  where: string,
  notes: Notes,
): void {
  matchByName(golden, suspect, `${where}initializer`, notes.computation, (before, after) => {
    if (canonicalJson(tensorForm(before, 'shape')) === canonicalJson(tensorForm(after, 'shape'))) return null;
    const [from, to] = [describeTensor(before), describeTensor(after)];
    return from === to ? `${from} holds other values or notes` : `${from} → ${to}`;
  });
}

function matchByName<T extends { readonly name: string }>(
  golden: readonly T[],
  suspect: readonly T[],
  kind: string,
  notes: string[],
  compare: (before: T, after: T) => string | null,
): void {
  const before = new Map(golden.map((item) => [item.name, item]));
  const after = new Set(suspect.map((item) => item.name));
  for (const item of golden) if (!after.has(item.name)) notes.push(`${kind} ${item.name}: removed`);
  for (const item of suspect) {
    const match = before.get(item.name);
    const difference = match ? compare(match, item) : 'added';
    if (difference !== null) notes.push(`${kind} ${item.name}: ${difference}`);
  }
}

/** Texts and metadata by message and field number (onnx.proto3); everything else that is unread may change an answer. */
const TEXTS: Readonly<Record<string, readonly number[]>> = {
  // producer_name, producer_version, domain, model_version, doc_string, metadata_props
  ModelProto: [2, 3, 4, 5, 6, 14],
  GraphProto: [10, 16],
  NodeProto: [6, 9],
  ValueInfoProto: [3, 4],
};
/** Fields of ModelProto that deserve their name. */
const NAMED: Readonly<Record<string, string>> = {
  'ModelProto.2': 'producer name',
  'ModelProto.3': 'producer version',
  'ModelProto.6': 'doc string',
  'ModelProto.14': 'metadata',
  'ModelProto.20': 'training info',
  'ModelProto.25': 'functions',
  'GraphProto.10': 'doc string',
  'GraphProto.14': 'quantization notes',
  'GraphProto.15': 'sparse initializers',
};

function compareRest(golden: readonly Rest[], suspect: readonly Rest[], where: string, notes: Notes): void {
  const group = (rest: readonly Rest[]) => {
    const groups = new Map<string, string>();
    for (const { message, field, digest } of rest)
      groups.set(`${message}.${field}`, `${groups.get(`${message}.${field}`) ?? ''}${digest}`);
    return groups;
  };
  const [before, after] = [group(golden), group(suspect)];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(name) === after.get(name)) continue;
    const [message, field] = name.split('.');
    const harmless = TEXTS[message ?? '']?.includes(Number(field)) ?? false;
    const change = before.has(name) ? (after.has(name) ? 'changed' : 'removed') : 'added';
    (harmless ? notes.description : notes.computation).push(`${where}: ${NAMED[name] ?? `field ${name}`} ${change}`);
  }
}
