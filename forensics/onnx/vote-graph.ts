import type { OnnxAttribute, OnnxModel, OnnxNode, OnnxTensor } from './model.ts';

const CLASSES = 'vote/classes';
const INT64 = 7;
const FLOAT = 1;
/** AttributeProto.AttributeType. */
const INT = 2;
/** As the trainer's contract bounds them. */
const MOST_MEMBERS = 256;

/**
 * The graph in which `members` copies of this model vote (docs/decisions/0007): the same as `trainer/lazaret_trainer/voting.py` writes, but for
 * the values of float initializers, which the graph hash does not count. Null where a model cannot be copied side by side.
 */
export function voteGraph(model: OnnxModel, members: number): OnnxModel | null {
  const { graph } = model;
  const [output] = graph.outputs;
  const classes = output?.shape?.at(-1);
  if (graph.outputs.length !== 1 || !output || typeof classes !== 'number' || members > MOST_MEMBERS) return null;
  if (graph.nodes.some(({ attributes }) => attributes.some((each) => each.graph !== null || each.graphs.length > 0)))
    return null;
  const shared = new Set(graph.inputs.map(({ name }) => name));
  if (graph.initializers.some(({ name }) => shared.has(name))) return null;
  const each = Array.from({ length: members }, (_, index) => index);
  const named = (index: number) => (name: string) => (name === '' || shared.has(name) ? name : `m${index}/${name}`);
  return {
    ...model,
    graph: {
      ...graph,
      nodes: [
        ...each.flatMap((index) => [
          ...graph.nodes.map((node) => renamed(node, index, named(index))),
          ...ballot(index, named(index)(output.name)),
        ]),
        node(
          'vote',
          'Mean',
          each.map((index) => `vote/${index}`),
          output.name,
          {},
        ),
      ],
      initializers: [
        ...each.flatMap((index) =>
          graph.initializers.map((tensor): OnnxTensor => ({ ...tensor, name: `m${index}/${tensor.name}` })),
        ),
        classNumbers(classes),
      ],
      values: each.flatMap((index) => graph.values.map((value) => ({ ...value, name: `m${index}/${value.name}` }))),
    },
  };
}

function renamed(each: OnnxNode, index: number, named: (name: string) => string): OnnxNode {
  return {
    ...each,
    name: each.name === '' ? '' : `m${index}/${each.name}`,
    inputs: each.inputs.map(named),
    outputs: each.outputs.map((name) => (name === '' ? name : `m${index}/${name}`)),
  };
}

function ballot(index: number, answer: string): readonly OnnxNode[] {
  const vote = `vote/${index}`;
  return [
    node(`${vote}/class`, 'ArgMax', [answer], `${vote}/class`, { axis: -1n, keepdims: 1n }),
    node(`${vote}/said`, 'Equal', [`${vote}/class`, CLASSES], `${vote}/said`, {}),
    node(vote, 'Cast', [`${vote}/said`], vote, { to: BigInt(FLOAT) }),
  ];
}

function node(
  name: string,
  opType: string,
  inputs: readonly string[],
  output: string,
  integers: Readonly<Record<string, bigint>>,
): OnnxNode {
  const attributes = Object.entries(integers).map(([key, value]) => integer(key, value));
  return { name, opType, domain: '', inputs, outputs: [output], attributes, rest: [] };
}

function integer(name: string, int: bigint): OnnxAttribute {
  const nothing = { tensor: null, graph: null, floats: [], ints: [], strings: [], tensors: [], graphs: [], rest: [] };
  return { name, type: INT, reference: '', float: 0, int, string: new Uint8Array(), ...nothing };
}

function classNumbers(classes: number): OnnxTensor {
  const raw = new Uint8Array(BigInt64Array.from({ length: classes }, (_, label) => BigInt(label)).buffer);
  return { name: CLASSES, dataType: INT64, dims: [classes], values: null, raw, rest: [] };
}
