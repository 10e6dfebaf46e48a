import type { Node, Scope } from '../file/model.ts';
import type { Index } from '../file/names.ts';
import { Constants, type Standing } from './constants.ts';
import { constant, join, type Facts, type Gate, type Identities } from './facts.ts';
import { choose, type FlowState } from './gating.ts';
import { operator } from './transfer.ts';

/** Node visits for one file: calls and loops are followed, and a hostile file must not make that exponential. */
const MAX_VISITS = 500_000;
const MAX_CALLS_DEEP = 24;

export interface Flow {
  /** Every gate that was seen, and those that no learned layer separates from an output. */
  readonly gates: ReadonlySet<Gate>;
  readonly atOutput: ReadonlySet<Gate>;
  readonly random: readonly { readonly place: string; readonly opType: string }[];
  readonly finished: boolean;
}

type Names = Map<string, Facts>;

/** Follows data from the inputs to the outputs, into subgraphs and functions, and notes where a decision about the input gates something. */
export class FlowAnalysis {
  private readonly ids: Identities = { next: 1 };
  private readonly state: FlowState;
  private readonly index: Index;
  private visits = 0;

  constructor(index: Index) {
    this.index = index;
    this.state = { ids: this.ids, constants: new Constants(index, this.ids), gates: new Set(), random: new Map() };
  }

  run(main: Scope): Flow {
    const defaults = new Set(main.initializers.map((tensor) => tensor.name));
    const names: Names = new Map();
    for (const { name } of main.inputs)
      if (!defaults.has(name)) names.set(name, constant(this.ids, { data: true, raw: true }));
    const outputs = this.scope(main, [names], 0);
    return {
      gates: this.state.gates,
      atOutput: new Set(outputs.flatMap((facts) => [...facts.gates])),
      random: [...this.state.random.values()],
      finished: this.visits <= MAX_VISITS,
    };
  }

  /** Facts of the scope's outputs. `outer` are the names around it, the nearest last; the last one is its own. */
  private scope(scope: Scope, outer: readonly Names[], depth: number): Facts[] {
    const own = outer.at(-1) ?? new Map<string, Facts>();
    for (const tensor of scope.initializers) own.set(tensor.name, this.state.constants.tensor(tensor));
    for (const sparse of scope.sparse)
      if (sparse.values) own.set(sparse.values.name, this.state.constants.tensor(sparse.values, true));
    const find = (name: string): Facts => {
      for (let at = outer.length - 1; at >= 0; at--) {
        const found = outer[at]?.get(name);
        if (found) return found;
      }
      return constant(this.ids);
    };
    for (const node of scope.nodes) {
      if (++this.visits > MAX_VISITS) break;
      const results = this.node({ node, scope }, node.inputs.map(find), outer, depth);
      node.outputs.forEach((name, at) => {
        const facts = results[at] ?? results[0];
        if (name !== '' && facts) own.set(name, facts);
      });
    }
    return scope.outputs.map((output) => find(output.name));
  }

  private node(at: Standing, inputs: readonly Facts[], outer: readonly Names[], depth: number): Facts[] {
    const { node } = at;
    const body = this.index.functions.get(node.key);
    if (body && depth < MAX_CALLS_DEEP) {
      const names: Names = new Map(
        body.scope.inputs.map((input, at) => [input.name, inputs[at] ?? constant(this.ids)]),
      );
      return this.scope(body.scope, [names], depth + 1);
    }
    if (node.subgraphs.length > 0) return this.control(node, inputs, outer, depth);
    return [operator(this.state, at, inputs)];
  }

  private control(node: Node, inputs: readonly Facts[], outer: readonly Names[], depth: number): Facts[] {
    const run = (scope: Scope, given: readonly Facts[]): Facts[] => {
      const names: Names = new Map(scope.inputs.map((input, at) => [input.name, given[at] ?? constant(this.ids)]));
      return depth < MAX_CALLS_DEEP ? this.scope(scope, [...outer, names], depth + 1) : [...given];
    };
    const [condition = constant(this.ids)] = inputs;
    if (node.opType === 'If') {
      const arms = node.subgraphs.map((scope) => run(scope, []));
      return (arms[0] ?? []).map((first, at) => {
        const second = arms[1]?.[at] ?? first;
        return choose(this.state, node, 'If', condition, first, second);
      });
    }
    const [scope] = node.subgraphs;
    if (scope === undefined) return [join(this.ids, inputs)];
    if (node.opType === 'Loop') {
      const verdict = join(this.ids, inputs.slice(0, 2));
      const states = inputs.slice(2);
      // A condition made inside the body decides about the next turn.
      const once = run(scope, [constant(this.ids), inputs[1] ?? constant(this.ids), ...states]);
      const own = once[0] ?? constant(this.ids);
      const deciding = join(this.ids, [verdict, own]);
      return once.slice(1).map((after, at) => {
        const before = states[at];
        return before ? choose(this.state, node, 'Loop', deciding, after, before) : join(this.ids, [after, deciding]);
      });
    }
    // What is scanned comes piece by piece.
    const scanned = Number(node.attributes.get('num_scan_inputs')?.int ?? 0n);
    const given = inputs.map((facts, at) =>
      at >= inputs.length - scanned && facts.data ? { ...facts, picked: true } : facts,
    );
    return run(scope, given).map((facts) => join(this.ids, [facts, ...inputs.slice(0, 1)]));
  }
}
