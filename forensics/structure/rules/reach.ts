import type { Node, Scope, Tensor } from '../file/model.ts';
import type { Index } from '../file/names.ts';
import { joined } from '../file/numbers.ts';
import { entropy } from '../payload.ts';
import type { Hit, Rule } from '../rule.ts';
import { quoted } from './names.ts';
import { readsOf } from './wiring.ts';

/** Bytes from which an unused tensor of a type that carries no weights is a cargo, not a leftover. */
const CARGO_BYTES = 512;
/** Bytes and texts carry no weights; a mask left over by an exporter has few different bytes, an archive has all. */
const CARGO_TYPES = new Set([2, 8]);
const CARGO_ENTROPY = 6.5;

function isCargo(tensor: Tensor): boolean {
  if (!CARGO_TYPES.has(tensor.dataType) || bytesIn(tensor) < CARGO_BYTES) return false;
  const parts = [...tensor.lists.values()].flat().filter((part) => part instanceof Uint8Array);
  return entropy((tensor.raw ?? joined(parts)).subarray(0, 65_536)) > CARGO_ENTROPY;
}

function live(scope: Scope, index: Index): { readonly nodes: ReadonlySet<Node>; readonly names: ReadonlySet<string> } {
  const made = index.producers.get(scope);
  const names = new Set(scope.outputs.map((output) => output.name));
  const nodes = new Set<Node>();
  const stack = [...names];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    const node = made?.get(name);
    if (!node || nodes.has(node)) continue;
    nodes.add(node);
    for (const read of readsOf(node))
      if (!names.has(read)) {
        names.add(read);
        stack.push(read);
      }
  }
  return { nodes, names };
}

function bytesIn(tensor: Tensor): number {
  let bytes = tensor.raw?.length ?? 0;
  for (const parts of tensor.lists.values())
    for (const part of parts) bytes += typeof part === 'bigint' ? 8 : part.length;
  return bytes;
}

/** A scope inside a subgraph may be read by siblings through outer names only, which `readsOf` has counted. */
function* deadIn(scope: Scope, index: Index): Iterable<Hit> {
  const { nodes, names } = live(scope, index);
  const dead = scope.nodes.filter((node) => !nodes.has(node));
  const [first] = dead;
  if (first) yield { place: first.path, words: `${dead.length} of ${scope.nodes.length} nodes lead to no output` };
  for (const tensor of scope.initializers)
    if (!names.has(tensor.name) && tensor.name !== '') {
      yield {
        place: tensor.path,
        words: `${bytesIn(tensor)} bytes that nothing reads`,
        level: isCargo(tensor) ? 'alarm' : 'note',
      };
    }
  for (const node of dead) {
    const tensor = node.attributes.get('value')?.tensor;
    if (node.opType === 'Constant' && tensor && isCargo(tensor))
      yield { place: tensor.path, words: `${bytesIn(tensor)} bytes that nothing reads`, level: 'alarm' };
  }
}

export const reachRules: readonly Rule[] = [
  {
    id: 'reach/dead',
    level: 'note',
    alarmingWhenNew: true,
    meaning: 'Parts of the graph that no output needs: leftovers of an exporter, or cargo.',
    *check({ model, index }) {
      for (const scope of model.scopes) if (scope.kind !== 'training') yield* deadIn(scope, index);
    },
  },
  {
    id: 'reach/dead-function',
    level: 'note',
    alarmingWhenNew: true,
    meaning: 'A function that nothing calls.',
    *check({ model, index }) {
      const called = new Set(model.scopes.flatMap((scope) => scope.nodes.map((node) => node.key)));
      for (const [key, body] of index.functions)
        if (!called.has(key)) yield { place: body.scope.path, words: 'nothing calls it' };
    },
  },
  {
    id: 'reach/constant-output',
    level: 'alarm',
    meaning: 'The model does not look at its input before it answers.',
    *check({ model, index }) {
      const main = model.main;
      if (main === null) return;
      const held = new Set(main.initializers.map((tensor) => tensor.name));
      for (const output of main.outputs)
        if (held.has(output.name)) yield { place: main.path, words: `output ${quoted(output.name)} is an initializer` };
      if (index.dataInputs.length === 0 || main.outputs.length === 0) return;
      const { names } = live(main, index);
      if (!index.dataInputs.some((name) => names.has(name)))
        yield { place: main.path, words: 'no output depends on any input' };
    },
  },
  {
    id: 'reach/unused-input',
    level: 'note',
    alarmingWhenNew: true,
    meaning: 'An input that no output depends on.',
    *check({ model, index }) {
      if (model.main === null) return;
      const { names } = live(model.main, index);
      for (const name of index.dataInputs)
        if (!names.has(name)) yield { place: model.main.path, words: `input ${quoted(name)} is not read` };
    },
  },
  {
    id: 'reach/training-graph',
    level: 'alarm',
    meaning: 'A graph for training rides along; it can replace weights and most readers do not look into it.',
    *check({ model }) {
      if (model.trainingGraphs > 0) yield { place: 'model', words: `${model.trainingGraphs} training graphs` };
    },
  },
];
