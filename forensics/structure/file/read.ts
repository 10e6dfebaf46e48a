import { decode, integers, type Message, type Value } from './decode.ts';
import type {
  Attribute,
  Declared,
  FunctionBody,
  Node,
  Opset,
  ScannedModel,
  Scope,
  Sparse,
  Tensor,
  Text,
} from './model.ts';
import { numbersOf } from './numbers.ts';

const MAX_DIMS = 1024;
const MAX_LIST = 100_000;

interface Gathered {
  readonly scopes: Scope[];
  readonly texts: Text[];
  readonly tensors: Tensor[];
  readonly sparse: Sparse[];
}

const one = (message: Message, field: number): Value | undefined => message.fields.get(field)?.at(-1);
const many = (message: Message, field: number): readonly Value[] => message.fields.get(field) ?? [];
const int = (message: Message, field: number): bigint => integers([one(message, field) ?? 0n], 1)[0] ?? 0n;
const text = (message: Message, field: number): string => {
  const value = one(message, field);
  return typeof value === 'string' ? value : '';
};
const texts = (message: Message, field: number): string[] =>
  many(message, field).filter((value): value is string => typeof value === 'string');
const isMessage = (value: Value | undefined): value is Message =>
  typeof value === 'object' && !(value instanceof Uint8Array);
const inner = (message: Message, field: number): Message[] => many(message, field).filter(isMessage);
const bytesOf = (value: Value | undefined): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array());
const lenient = new TextDecoder();

/** The file as scopes, tensors and texts. Total: any bytes give a model, at worst an empty one with oddities. */
export function readScanned(bytes: Uint8Array): ScannedModel {
  const { model, oddities } = decode(bytes);
  const gathered: Gathered = { scopes: [], texts: [], tensors: [], sparse: [] };
  const note = noteIn(gathered);
  [2, 3, 4].forEach((field) => note('model', 'name', text(model, field)));
  note('model documentation', 'doc', text(model, 6));
  metadata(model, 14, 'model', gathered);

  const functions = inner(model, 25).map((body) => readFunction(body, gathered));
  const graphs = inner(model, 7).map((graph) => readGraph(graph, 'graph', 'graph', null, 0, gathered));
  const training = inner(model, 20);
  training.forEach((info, index) =>
    [1, 2].forEach((field) =>
      inner(info, field).forEach((graph) => readGraph(graph, `training graph ${index}`, 'training', null, 0, gathered)),
    ),
  );
  return {
    irVersion: int(model, 1),
    opsets: readOpsets(model, 8),
    main: graphs.at(-1) ?? null,
    scopes: gathered.scopes,
    functions,
    trainingGraphs: training.length,
    texts: gathered.texts,
    tensors: gathered.tensors,
    sparse: gathered.sparse,
    oddities,
  };
}

const noteIn =
  (gathered: Gathered) =>
  (path: string, kind: Text['kind'], value: string, bytes: Uint8Array | null = null): void => {
    if (value.length > 0) gathered.texts.push({ path, kind, text: value, bytes });
  };

function metadata(message: Message, field: number, path: string, gathered: Gathered): void {
  for (const entry of inner(message, field)) {
    const [key, value] = [text(entry, 1), text(entry, 2)];
    noteIn(gathered)(`${path} metadata key`, 'name', key);
    noteIn(gathered)(`${path} metadata "${key.slice(0, 60)}"`, 'metadata', value);
  }
}

function readOpsets(message: Message, field: number): Opset[] {
  return inner(message, field).map((opset) => ({ domain: text(opset, 1), version: int(opset, 2) }));
}

function readFunction(body: Message, gathered: Gathered): FunctionBody {
  const [name, domain, overload] = [text(body, 1), text(body, 10), text(body, 13)];
  const path = `function ${domain}.${name}`.slice(0, 120);
  const note = noteIn(gathered);
  [name, domain, overload].forEach((value) => note(path, 'name', value));
  note(`${path} documentation`, 'doc', text(body, 8));
  metadata(body, 14, path, gathered);
  const named = (field: number): Declared[] => texts(body, field).map((value) => ({ name: value, shape: null }));
  const scope = readScope(body, { nodes: 7, attributes: 11 }, path, 'function', null, 0, gathered, named(4), named(5));
  inner(body, 12).forEach((value) => readValue(value, path, gathered));
  return { key: callKey(domain, name, overload), name, domain, scope, opsets: readOpsets(body, 9) };
}

export const callKey = (domain: string, name: string, overload: string): string =>
  JSON.stringify([domain === 'ai.onnx' ? '' : domain, name, overload]);

function readGraph(
  graph: Message,
  path: string,
  kind: Scope['kind'],
  parent: Scope | null,
  depth: number,
  gathered: Gathered,
): Scope {
  const note = noteIn(gathered);
  note(path, 'name', text(graph, 2));
  note(`${path} documentation`, 'doc', text(graph, 10));
  metadata(graph, 16, path, gathered);
  for (const annotation of inner(graph, 14)) {
    note(`${path} quantisation note`, 'name', text(annotation, 1));
    metadata(annotation, 2, `${path} quantisation note`, gathered);
  }
  const values = (field: number): Declared[] => inner(graph, field).map((value) => readValue(value, path, gathered));
  values(13);
  return readScope(graph, { nodes: 1, attributes: 0 }, path, kind, parent, depth, gathered, values(11), values(12));
}

function readScope(
  message: Message,
  fields: { readonly nodes: number; readonly attributes: number },
  path: string,
  kind: Scope['kind'],
  parent: Scope | null,
  depth: number,
  gathered: Gathered,
  inputs: readonly Declared[],
  outputs: readonly Declared[],
): Scope {
  const nodes: Node[] = [];
  const graph = kind !== 'function';
  const scope: Scope = {
    path,
    kind,
    depth,
    parent,
    nodes,
    inputs,
    outputs,
    initializers: graph ? inner(message, 5).map((tensor) => readTensor(tensor, path, 'initializer', gathered)) : [],
    sparse: graph ? inner(message, 15).map((sparse) => readSparse(sparse, path, gathered)) : [],
  };
  gathered.scopes.push(scope);
  inner(message, fields.attributes).forEach((attribute) => readAttribute(attribute, path, scope, gathered, []));
  inner(message, fields.nodes).forEach((node, index) => nodes.push(readNode(node, index, scope, gathered)));
  return scope;
}

function readNode(node: Message, index: number, scope: Scope, gathered: Gathered): Node {
  const [opType, domain, name] = [text(node, 4), text(node, 7), text(node, 3)];
  const path = `${scope.path} › node ${index} ${opType}`.slice(0, 300);
  const note = noteIn(gathered);
  const [inputs, outputs] = [texts(node, 1), texts(node, 2)];
  [opType, domain, name, ...outputs].forEach((value) => note(path, 'name', value));
  note(`${path} documentation`, 'doc', text(node, 6));
  metadata(node, 9, path, gathered);
  const subgraphs: Scope[] = [];
  const attributeList = inner(node, 5).map((attribute) => readAttribute(attribute, path, scope, gathered, subgraphs));
  return {
    path,
    name,
    opType,
    domain,
    key: callKey(domain, opType, text(node, 8)),
    inputs,
    outputs,
    attributes: new Map(attributeList.map((attribute) => [attribute.name, attribute])),
    attributeList,
    subgraphs,
  };
}

/** Members of AttributeProto that hold a value. */
const MEMBERS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 22, 23];

function readAttribute(
  attribute: Message,
  place: string,
  scope: Scope,
  gathered: Gathered,
  subgraphs: Scope[],
): Attribute {
  const name = text(attribute, 1);
  const path = `${place} › ${name}`.slice(0, 340);
  const note = noteIn(gathered);
  note(path, 'name', name);
  note(`${path} documentation`, 'doc', text(attribute, 13));
  const strings = [4, 9].map((field) =>
    many(attribute, field).map((value) => {
      const bytes = bytesOf(value);
      const decoded = lenient.decode(bytes);
      note(path, 'attribute', decoded, bytes);
      return decoded;
    }),
  );
  const tensors = [5, 10].flatMap((field) =>
    inner(attribute, field).map((tensor) => readTensor(tensor, path, 'attribute', gathered)),
  );
  [22, 23].forEach((field) => inner(attribute, field).forEach((sparse) => readSparse(sparse, path, gathered)));
  for (const field of [6, 11])
    for (const graph of inner(attribute, field))
      subgraphs.push(readGraph(graph, path, 'subgraph', scope, scope.depth + 1, gathered));
  const float = bytesOf(one(attribute, 2));
  return {
    name,
    type: Number(int(attribute, 20)),
    reference: text(attribute, 21),
    int: int(attribute, 3),
    float: float.length === 4 ? (numbersOf(1, float)[0] ?? 0) : 0,
    ints: integers(attribute.fields.get(8), MAX_LIST),
    floats: many(attribute, 7).flatMap((value) => [...numbersOf(1, bytesOf(value), MAX_LIST)]),
    text: strings[0]?.at(-1) ?? '',
    strings: strings[1] ?? [],
    tensor: tensors[0] ?? null,
    filled: MEMBERS.filter((field) => attribute.fields.has(field)),
  };
}

function readValue(value: Message, place: string, gathered: Gathered): Declared {
  const name = text(value, 1);
  const note = noteIn(gathered);
  note(place, 'name', name);
  note(`${place} › value ${name.slice(0, 60)} documentation`, 'doc', text(value, 3));
  metadata(value, 4, `${place} › value ${name.slice(0, 60)}`, gathered);
  const type = one(value, 2);
  const tensor = isMessage(type) ? (one(type, 1) ?? one(type, 8)) : undefined;
  const shape = isMessage(tensor) ? one(tensor, 2) : undefined;
  return { name, shape: isMessage(shape) ? inner(shape, 1).slice(0, MAX_DIMS).map(readDim) : null };
}

function readDim(dim: Message): bigint | string | null {
  return dim.fields.has(1) ? int(dim, 1) : dim.fields.has(2) ? text(dim, 2) : null;
}

function readTensor(tensor: Message, place: string, role: Tensor['role'], gathered: Gathered): Tensor {
  const name = text(tensor, 8);
  const path = `${place} › ${role === 'initializer' ? 'initializer' : 'tensor'} ${name.slice(0, 80)}`.trimEnd();
  const note = noteIn(gathered);
  note(path, 'name', name);
  note(`${path} documentation`, 'doc', text(tensor, 12));
  metadata(tensor, 16, path, gathered);
  const listed = [4, 5, 6, 7, 10, 11].filter((field) =>
    many(tensor, field).some((value) => field === 6 || typeof value === 'bigint' || bytesOf(value).length > 0),
  );
  const lists = new Map(
    listed.map((field) => [
      field,
      many(tensor, field).filter(
        (value): value is bigint | Uint8Array => typeof value === 'bigint' || value instanceof Uint8Array,
      ),
    ]),
  );
  for (const value of lists.get(6) ?? [])
    if (value instanceof Uint8Array) note(path, 'tensor', lenient.decode(value), value);
  const external = inner(tensor, 13).map((entry) => [text(entry, 1), text(entry, 2)] as const);
  external.forEach(([key]) => note(`${path} external data`, 'name', key));
  const raw = one(tensor, 9);
  const read: Tensor = {
    path,
    name,
    dims: integers(tensor.fields.get(1), MAX_DIMS),
    dataType: Number(int(tensor, 2)),
    // An empty raw_data beside a list is how some serialisers write its absence.
    raw: raw instanceof Uint8Array && (raw.length > 0 || lists.size === 0) ? raw : null,
    lists,
    external,
    isExternal: int(tensor, 14) === 1n,
    role,
  };
  gathered.tensors.push(read);
  return read;
}

function readSparse(sparse: Message, place: string, gathered: Gathered): Sparse {
  const part = (field: number, name: string): Tensor | null => {
    const tensor = one(sparse, field);
    return isMessage(tensor) ? readTensor(tensor, `${place} › sparse ${name}`, 'sparse', gathered) : null;
  };
  const read: Sparse = {
    path: `${place} › sparse tensor`,
    values: part(1, 'values'),
    indices: part(2, 'indices'),
    dims: integers(sparse.fields.get(3), MAX_DIMS),
  };
  gathered.sparse.push(read);
  return read;
}
