import type { Node, Scope } from '../file/model.ts';
import { constantIn, type Index } from '../file/names.ts';
import { declaredElements, elements } from '../file/numbers.ts';
import type { Hit, Rule } from '../rule.ts';
import { quoted } from './names.ts';

/** One value of this many elements is 4 GiB of binary32: no classifier makes one from constants. */
const MAX_ELEMENTS = 2 ** 30;
const MAX_TURNS = 10_000_000;
const MAX_CALLS = 5_000_000;
const MAX_SUBGRAPH_DEPTH = 12;
const SMALL = 64;

/** The budget of steps is one for the whole look-up: a hostile chain of concatenations MUST NOT take exponential time. */
const MAX_STEPS = 64;

/** Small constants through the handful of operators that exporters build shapes with; null where it is no constant. */
function small(
  name: string | undefined,
  scope: Scope,
  index: Index,
  budget = { steps: MAX_STEPS },
): readonly number[] | null {
  if (name === undefined || name === '' || --budget.steps < 0) return null;
  const tensor = constantIn(index, scope, name);
  if (tensor !== null) {
    const count = declaredElements(tensor.dims);
    return count !== null && count <= SMALL ? [...elements(tensor, SMALL)] : null;
  }
  for (let from: Scope | null = scope; from !== null; from = from.parent) {
    const node = index.producers.get(from)?.get(name);
    if (node) return folded(node, from, index, budget);
  }
  return null;
}

function folded(node: Node, scope: Scope, index: Index, budget: { steps: number }): readonly number[] | null {
  const input = (at: number): readonly number[] | null => small(node.inputs[at], scope, index, budget);
  switch (node.opType) {
    case 'Constant': {
      const { attributes } = node;
      const ints = attributes.get('value_ints')?.ints ?? attributes.get('value_floats')?.floats;
      const scalar = attributes.get('value_int')?.int ?? attributes.get('value_float')?.float;
      return ints ? ints.slice(0, SMALL).map(Number) : scalar === undefined ? null : [Number(scalar)];
    }
    case 'Identity':
    case 'Cast':
    case 'Unsqueeze':
    case 'Squeeze':
    case 'Reshape':
      return input(0);
    case 'Concat': {
      // A dynamic part counts as one: the rest is a lower bound of the product.
      if (node.inputs.length > 16) return null;
      return node.inputs.flatMap((_, at) => input(at) ?? [1]).slice(0, SMALL);
    }
    case 'Mul':
    case 'Add': {
      const [a, b] = [input(0), input(1)];
      if (a === null || b === null || (a.length !== b.length && b.length !== 1)) return null;
      return a.map((value, at) => {
        const other = b[b.length === 1 ? 0 : at] ?? 0;
        return node.opType === 'Mul' ? value * other : value + other;
      });
    }
    default:
      return null;
  }
}

const product = (values: readonly number[] | null): number =>
  (values ?? []).reduce((all, value) => all * Math.max(1, Math.abs(value)), 1);

/** Elements that a node makes at least, from its constants alone. */
function made(node: Node, scope: Scope, index: Index): number {
  const input = (at: number): readonly number[] | null => small(node.inputs[at], scope, index);
  switch (node.opType) {
    case 'ConstantOfShape':
      return product(input(0));
    case 'Expand':
    case 'Tile':
      return product(input(1));
    case 'Reshape':
      return 1;
    case 'RandomNormal':
    case 'RandomUniform':
      return product((node.attributes.get('shape')?.ints ?? []).map(Number));
    case 'EyeLike':
      return product(input(0));
    case 'Range': {
      const [start, limit, delta] = [input(0)?.[0], input(1)?.[0], input(2)?.[0]];
      return start === undefined || limit === undefined || delta === undefined ? 1 : (limit - start) / delta;
    }
    case 'Resize':
      return Math.max(product(input(node.inputs.length < 3 ? 1 : 2)), product(input(3)));
    case 'Upsample':
      return product(input(1) ?? node.attributes.get('scales')?.floats ?? null);
    case 'OneHot':
      return input(1)?.[0] ?? 1;
    case 'Pad':
      return Math.max(1, ...(input(1) ?? (node.attributes.get('pads')?.ints ?? []).map(Number)).map(Math.abs));
    case 'BlackmanWindow':
    case 'HannWindow':
    case 'HammingWindow':
      return input(0)?.[0] ?? 1;
    default:
      return 1;
  }
}

/** What is reduced or read at places starts anew. */
const SHRINKING = /^(Reduce|Global|Gather|Slice|ArgM|Shape|Size|TopK|NonMax|MatMul|Gemm)/;

/** log₂ of what the strides of a convolution or a pooling take away: networks go up and down many times. */
function shrunk(node: Node): number {
  if (!/Conv$|Pool$/.test(node.opType)) return 0;
  const strides = node.attributes.get('strides')?.ints ?? [];
  return Math.log2(product(strides.map(Number)));
}

/** How many times larger the output is than the largest input, from constants alone. */
function copies(node: Node, sizes: readonly number[], largest: number, scope: Scope, index: Index): number {
  switch (node.opType) {
    case 'Concat':
      return node.inputs.filter((_, at) => sizes[at] === largest).length;
    case 'Tile':
      return made(node, scope, index);
    case 'Resize':
      // The sizes of the fourth input are what comes out, not a factor.
      return product(small(node.inputs[node.inputs.length < 3 ? 1 : 2], scope, index));
    case 'Upsample':
      return product(small(node.inputs[1], scope, index) ?? node.attributes.get('scales')?.floats ?? null);
    default:
      return 1;
  }
}

/** `Concat(x, x)`, `Tile(x, 2)`, … in a row double the size each time; a chain of them is a bomb made of small steps. log₂ of the growth. */
function* growth(scope: Scope, index: Index): Iterable<Hit> {
  const size = new Map<string, number>();
  for (const node of scope.nodes) {
    const sizes = node.inputs.map((name) => size.get(name) ?? 0);
    const largest = sizes.reduce((most, one) => Math.max(most, one), 0);
    const factor = Math.log2(Math.max(1, copies(node, sizes, largest, scope, index)));
    // Concatenations of different things grow with their number of parts, not by doubling.
    const same = node.opType !== 'Concat' || new Set(node.inputs).size < node.inputs.length;
    const next = SHRINKING.test(node.opType) ? 0 : Math.max(0, largest + (same ? factor : 0) - shrunk(node));
    for (const output of node.outputs) size.set(output, next);
    if (next > Math.log2(MAX_ELEMENTS) && largest <= Math.log2(MAX_ELEMENTS))
      yield { place: node.path, words: `a chain of copies makes 2^${next.toFixed(0)} times its beginning` };
  }
}

/** A loop that turns as often as it likes and whose condition is never false. */
function endless(node: Node, scope: Scope, index: Index): string | null {
  const turns = small(node.inputs[0], scope, index)?.[0] ?? (node.inputs[0] ? null : Infinity);
  if (turns === null || turns <= MAX_TURNS) return null;
  const body = node.subgraphs[0];
  const verdict = body?.outputs[0]?.name;
  if (!body || verdict === undefined) return null;
  const conditionName = body.inputs[1]?.name;
  let name = verdict;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    if (name === conditionName) return `turns ${turns} times: its condition is handed on unchanged`;
    const fixed = small(name, body, index);
    if (fixed !== null) return (fixed[0] ?? 0) === 0 ? null : `turns ${turns} times: its condition is always true`;
    const node = index.producers.get(body)?.get(name);
    if (node?.opType !== 'Identity' || node.inputs[0] === undefined) return null;
    name = node.inputs[0];
  }
  return null;
}

/** Nodes after every call is unfolded: functions that call each other twice make exponentially many. */
function unfolded(index: Index): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const open = new Set<string>();
  const count = (key: string, depth: number): number => {
    const known = counts.get(key);
    const body = index.functions.get(key);
    if (known !== undefined || !body || open.has(key) || depth > 400) return known ?? 1;
    open.add(key);
    let sum = 0;
    const stack = [body.scope];
    for (let scope = stack.pop(); scope !== undefined; scope = stack.pop())
      for (const node of scope.nodes) {
        sum += index.functions.has(node.key) ? count(node.key, depth + 1) : 1;
        stack.push(...node.subgraphs);
      }
    open.delete(key);
    counts.set(key, sum);
    return sum;
  };
  for (const key of index.functions.keys()) count(key, 0);
  return counts;
}

export const sizeRules: readonly Rule[] = [
  {
    id: 'size/bomb',
    level: 'alarm',
    meaning: 'A few bytes ask for more memory than the machine has.',
    *check({ model, index }) {
      for (const scope of model.scopes) {
        for (const node of scope.nodes) {
          const count = made(node, scope, index);
          if (count > MAX_ELEMENTS) yield { place: node.path, words: `makes ${count.toExponential(1)} elements` };
        }
        yield* growth(scope, index);
      }
    },
  },
  {
    id: 'size/endless-loop',
    level: 'alarm',
    meaning: 'A loop that does not end.',
    *check({ model, index }) {
      for (const scope of model.scopes)
        for (const node of scope.nodes)
          if (node.opType === 'Loop') {
            const words = endless(node, scope, index);
            if (words !== null) yield { place: node.path, words };
          }
    },
  },
  {
    id: 'size/unfolding-functions',
    level: 'alarm',
    meaning: 'Functions that call each other unfold to more nodes than an engine survives.',
    *check({ index }) {
      for (const [key, count] of unfolded(index))
        if (count > MAX_CALLS) {
          yield { place: `function ${key.slice(0, 100)}`, words: `unfolds to ${count.toExponential(1)} nodes` };
          return;
        }
    },
  },
  {
    id: 'size/nested-subgraphs',
    level: 'alarm',
    meaning: 'Subgraphs are nested deeper than any exporter nests them.',
    *check({ model }) {
      const deepest = model.scopes.reduce(
        (most, scope) => (scope.depth > most.depth ? scope : most),
        model.scopes[0] ?? { depth: 0, path: '' },
      );
      if (deepest.depth > MAX_SUBGRAPH_DEPTH)
        yield { place: quoted(deepest.path.slice(0, 60)), words: `${deepest.depth} subgraphs inside each other` };
    },
  },
];
