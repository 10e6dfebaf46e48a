import type { Index } from '../file/names.ts';
import type { Node, Scope } from '../file/model.ts';
import type { Rule } from '../rule.ts';
import { quoted } from './names.ts';

/** Names a node reads, those that its subgraphs read from outside included. */
export function readsOf(node: Node): Iterable<string> {
  const names = new Set(node.inputs.filter((name) => name !== ''));
  const stack: Scope[] = [...node.subgraphs];
  for (let scope = stack.pop(); scope !== undefined; scope = stack.pop()) {
    for (const inner of scope.nodes) {
      for (const name of inner.inputs) if (name !== '') names.add(name);
      stack.push(...inner.subgraphs);
    }
    for (const output of scope.outputs) names.add(output.name);
  }
  return names;
}

const held = new WeakMap<Scope, ReadonlySet<string>>();
/** Inputs and constants of a scope; remembered, because every read of every node asks. */
function heldBy(scope: Scope, index: Index): ReadonlySet<string> {
  const known =
    held.get(scope) ??
    new Set([...scope.inputs.map((input) => input.name), ...(index.constants.get(scope)?.keys() ?? [])]);
  held.set(scope, known);
  return known;
}

function definedOutside(scope: Scope, name: string, index: Index): boolean {
  for (let outer = scope.parent; outer !== null; outer = outer.parent)
    if (heldBy(outer, index).has(name) || index.producers.get(outer)?.has(name)) return true;
  return false;
}

/** Nodes that can be reached from themselves: what Kahn's algorithm leaves over. */
function inCycles(scope: Scope, index: Index): readonly Node[] {
  const made = index.producers.get(scope);
  const waiting = new Map<Node, number>();
  const readers = new Map<Node, Node[]>();
  for (const node of scope.nodes) {
    const sources = new Set([...readsOf(node)].flatMap((name) => made?.get(name) ?? []));
    waiting.set(node, sources.size);
    for (const source of sources) {
      const others = readers.get(source);
      if (others) others.push(node);
      else readers.set(source, [node]);
    }
  }
  const ready = scope.nodes.filter((node) => waiting.get(node) === 0);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    waiting.delete(node);
    for (const reader of readers.get(node) ?? []) {
      const left = (waiting.get(reader) ?? 0) - 1;
      waiting.set(reader, left);
      if (left === 0) ready.push(reader);
    }
  }
  return [...waiting.keys()];
}

/** Functions that reach themselves by calls. */
function recursive(index: Index): readonly string[] {
  const calls = new Map<string, readonly string[]>();
  for (const [key, body] of index.functions) {
    const called: string[] = [];
    const stack = [body.scope];
    for (let scope = stack.pop(); scope !== undefined; scope = stack.pop())
      for (const node of scope.nodes) {
        if (index.functions.has(node.key)) called.push(node.key);
        stack.push(...node.subgraphs);
      }
    calls.set(key, [...new Set(called)]);
  }
  const state = new Map<string, 'open' | 'done'>();
  const found = new Set<string>();
  for (const start of calls.keys()) {
    const stack: { key: string; next: number }[] = [{ key: start, next: 0 }];
    if (state.has(start)) continue;
    state.set(start, 'open');
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const callee = calls.get(top.key)?.[top.next++];
      if (callee === undefined) {
        state.set(top.key, 'done');
        stack.pop();
      } else if (state.get(callee) === 'open') found.add(callee);
      else if (!state.has(callee)) {
        state.set(callee, 'open');
        stack.push({ key: callee, next: 0 });
      }
    }
  }
  return [...found];
}

export const wiringRules: readonly Rule[] = [
  {
    id: 'wiring/cycle',
    level: 'alarm',
    meaning: 'Nodes or functions wait for each other: an engine that follows them does not end.',
    *check({ model, index }) {
      for (const scope of model.scopes) {
        const nodes = inCycles(scope, index);
        const [first] = nodes;
        if (first) yield { place: first.path, words: `${nodes.length} nodes wait for each other` };
      }
      for (const key of recursive(index)) yield { place: `function ${key.slice(0, 100)}`, words: 'it calls itself' };
    },
  },
  {
    id: 'wiring/order',
    level: 'alarm',
    meaning: 'A node reads what only a later node makes: the format asks for topological order.',
    *check({ model, index }) {
      for (const scope of model.scopes) {
        const made = index.producers.get(scope);
        const position = new Map(scope.nodes.map((node, at) => [node, at]));
        for (const [at, node] of scope.nodes.entries())
          for (const name of readsOf(node)) {
            const source = made?.get(name);
            if (source && (position.get(source) ?? 0) >= at && !heldBy(scope, index).has(name))
              yield { place: node.path, words: `reads ${quoted(name)} before it is made` };
          }
      }
    },
  },
  {
    id: 'wiring/undefined',
    level: 'alarm',
    meaning: 'A name is read that nothing in the file makes.',
    *check({ model, index }) {
      for (const scope of model.scopes) {
        if (scope.kind === 'training') continue;
        const own = heldBy(scope, index);
        const known = (name: string): boolean =>
          name === '' || own.has(name) || index.producers.get(scope)?.has(name) || definedOutside(scope, name, index);
        for (const node of scope.nodes)
          for (const name of node.inputs)
            if (!known(name)) yield { place: node.path, words: `reads ${quoted(name)}, which nothing makes` };
        for (const output of scope.outputs)
          if (!known(output.name))
            yield { place: scope.path, words: `output ${quoted(output.name)} is made by nothing` };
      }
    },
  },
];
