import type { Node, Scope, Tensor } from '../file/model.ts';
import { constantIn, type Index } from '../file/names.ts';
import { declaredElements, elements } from '../file/numbers.ts';
import { constant, join, union, type Facts, type Gate, type Identities } from './facts.ts';
import {
  COMBINING,
  COMPARISONS,
  FIRST_ONLY,
  LEARNED,
  LOOKUPS,
  RANDOM,
  REDUCTIONS,
  SAME_VALUE,
  SELECTIONS,
  SIZING,
  STEPS,
  UNEVEN,
} from './operators.ts';

/** Node visits for one file: calls and loops are followed, and a hostile file must not make that exponential. */
const MAX_VISITS = 500_000;
const MAX_CALLS_DEEP = 24;
const TRAIT_ELEMENTS = 65_536;
const INT_MAX = 2 ** 31 - 2;

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
  private readonly gates = new Set<Gate>();
  private readonly random = new Map<Node, { place: string; opType: string }>();
  private readonly traits = new Map<Tensor, Facts>();
  private readonly permutations = new Map<Tensor, boolean>();
  private readonly index: Index;
  /** Where the node stands that is being looked at. */
  private here: Scope | null = null;
  private visits = 0;

  constructor(index: Index) {
    this.index = index;
  }

  run(main: Scope): Flow {
    const defaults = new Set(main.initializers.map((tensor) => tensor.name));
    const names: Names = new Map();
    for (const { name } of main.inputs)
      if (!defaults.has(name)) names.set(name, constant(this.ids, { data: true, raw: true }));
    const outputs = this.scope(main, [names], 0);
    return {
      gates: this.gates,
      atOutput: new Set(outputs.flatMap((facts) => [...facts.gates])),
      random: [...this.random.values()],
      finished: this.visits <= MAX_VISITS,
    };
  }

  /** Facts of the scope's outputs. `outer` are the names around it, the nearest last; the last one is its own. */
  private scope(scope: Scope, outer: readonly Names[], depth: number): Facts[] {
    const own = outer.at(-1) ?? new Map<string, Facts>();
    for (const tensor of scope.initializers) own.set(tensor.name, this.tensor(tensor));
    for (const sparse of scope.sparse) if (sparse.values) own.set(sparse.values.name, this.tensor(sparse.values, true));
    const find = (name: string): Facts => {
      for (let at = outer.length - 1; at >= 0; at--) {
        const found = outer[at]?.get(name);
        if (found) return found;
      }
      return constant(this.ids);
    };
    for (const node of scope.nodes) {
      if (++this.visits > MAX_VISITS) break;
      this.here = scope;
      const results = this.node(node, node.inputs.map(find), outer, depth);
      node.outputs.forEach((name, at) => {
        const facts = results[at] ?? results[0];
        if (name !== '' && facts) own.set(name, facts);
      });
    }
    return scope.outputs.map((output) => find(output.name));
  }

  private tensor(tensor: Tensor, uneven = false): Facts {
    const known = this.traits.get(tensor);
    if (known) return known;
    const values = elements(tensor, TRAIT_ELEMENTS);
    const first = values[0];
    const facts = constant(this.ids, {
      uneven: uneven || tensor.isExternal || values.some((value) => value !== first),
      zero: values.length > 0 && values.every((value) => value === 0),
      empty: declaredElements(tensor.dims) === 0,
    });
    this.traits.set(tensor, facts);
    return facts;
  }

  private node(node: Node, inputs: readonly Facts[], outer: readonly Names[], depth: number): Facts[] {
    const body = this.index.functions.get(node.key);
    if (body && depth < MAX_CALLS_DEEP) {
      const names: Names = new Map(
        body.scope.inputs.map((input, at) => [input.name, inputs[at] ?? constant(this.ids)]),
      );
      return this.scope(body.scope, [names], depth + 1);
    }
    if (node.subgraphs.length > 0) return this.control(node, inputs, outer, depth);
    return [this.operator(node, inputs)];
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
        return this.choose(node, 'If', condition, first, second);
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
        return before ? this.choose(node, 'Loop', deciding, after, before) : join(this.ids, [after, deciding]);
      });
    }
    // What is scanned comes piece by piece.
    const scanned = Number(node.attributes.get('num_scan_inputs')?.int ?? 0n);
    const given = inputs.map((facts, at) =>
      at >= inputs.length - scanned && facts.data ? { ...facts, picked: true } : facts,
    );
    return run(scope, given).map((facts) => join(this.ids, [facts, ...inputs.slice(0, 1)]));
  }

  /** Where(condition, a, b), the arms of If, a loop's state after and before. */
  private choose(node: Node, how: 'If' | 'Where' | 'Loop', condition: Facts, a: Facts, b: Facts): Facts {
    const arms = [a, b];
    const made = join(this.ids, [...arms, { ...condition, learned: false, raw: false, data: condition.data }]);
    const fixed = arms.filter((arm) => !arm.data);
    const value: Facts = {
      ...made,
      learned: arms.some((arm) => arm.learned),
      raw: arms.some((arm) => arm.raw),
      decision: fixed.length === 2 ? condition.decision : (Math.max(a.decision, b.decision) as Facts['decision']),
      collapsed: fixed.length === 2 ? condition.collapsed : a.collapsed || b.collapsed,
      patterned: fixed.length === 2 ? fixed.some((arm) => arm.uneven) : a.patterned || b.patterned,
      ofInput: fixed.length === 2 ? condition.ofInput : a.ofInput || b.ofInput,
      base: a.base === b.base ? a.base : made.id,
    };
    if (condition.decision === 0 || !condition.data || !condition.collapsed || fixed.length === 2) return value;
    // Where(norm == 0, 1, norm): the value that was compared is itself kept from being used.
    if (arms.some((arm) => arm.data && condition.compared.has(arm.id))) return value;
    const [payload] = fixed;
    if (payload?.empty) return value;
    const versions = fixed.length === 0 && a.learned && b.learned && a.base === b.base && a.id !== b.id;
    return this.gated(value, {
      place: node.path,
      how,
      strong: condition.decision === 2,
      ofInput: condition.ofInput,
      random: condition.random,
      whole: condition.whole,
      constant: payload !== undefined,
      uneven: (payload?.uneven ?? false) || condition.patterned || versions,
      zero: payload?.zero ?? false,
      versions,
    });
  }

  private gated(value: Facts, gate: Gate): Facts {
    this.gates.add(gate);
    return { ...value, gates: union([new Set([gate]), value.gates]) };
  }

  private operator(node: Node, inputs: readonly Facts[]): Facts {
    const op = node.opType;
    if (RANDOM.has(op)) {
      this.random.set(node, { place: node.path, opType: op });
      const made = join(this.ids, inputs);
      return {
        ...made,
        data: true,
        random: true,
        raw: true,
        picked: true,
        learned: op === 'Bernoulli' || op === 'Multinomial' ? made.learned : false,
      };
    }
    if (op === 'Constant') {
      const tensor = node.attributes.get('value')?.tensor;
      const list = node.attributes.get('value_floats')?.floats ?? node.attributes.get('value_ints')?.ints ?? [];
      const sparse = node.attributes.has('sparse_value');
      return tensor
        ? this.tensor(tensor)
        : constant(this.ids, { uneven: sparse || list.some((value) => value !== list[0]) });
    }
    if (op === 'ConstantOfShape') {
      const tensor = node.attributes.get('value')?.tensor;
      const [shape] = inputs;
      const facts = tensor ? this.tensor(tensor) : constant(this.ids, { zero: true });
      return { ...facts, sized: shape?.sized ?? false, empty: (shape?.zero ?? false) || facts.empty };
    }
    if (op === 'Shape' || op === 'Size') {
      const [of] = inputs;
      return of?.sized ? { ...join(this.ids, inputs), picked: true } : constant(this.ids, { uneven: true });
    }
    if (op === 'Where' && inputs[0] && inputs[1] && inputs[2])
      return this.choose(node, 'Where', inputs[0], inputs[1], inputs[2]);

    const made = join(this.ids, FIRST_ONLY.has(op) ? inputs.slice(0, 1) : inputs);
    if (SAME_VALUE.has(op) && made.data && inputs[0]) return { ...made, id: inputs[0].id };
    if (!made.data) return { ...made, uneven: made.uneven || (UNEVEN.has(op) && !made.zero) };
    if (LEARNED.has(op)) return this.layer(node, inputs, made);
    return this.combine(node, inputs, this.decide(node, inputs, made));
  }

  /** Behind a layer there are features. A decision that a constant matrix spreads over the outputs stays a decision. */
  private layer(node: Node, inputs: readonly Facts[], made: Facts): Facts {
    const moving = inputs.filter((one) => one.data);
    const spread = moving.length > 0 && moving.every((one) => one.decision > 0 && one.collapsed && !one.learned);
    if (spread) return { ...made, patterned: true };
    if (inputs.length === 1 || this.moves(node)) return made;
    return {
      ...constant(this.ids),
      data: true,
      learned: true,
      raw: false,
      random: made.random && !moving.some((one) => !one.random),
      sized: made.sized,
      // One unit is a verdict about the whole input, as a reduction is.
      picked: this.isOneUnit(node),
    };
  }

  private isOneUnit(node: Node): boolean {
    const dims = this.constant(node.inputs[1])?.dims ?? [];
    if (/^(Conv|FusedConv)$/.test(node.opType)) return dims[0] === 1n;
    if (node.opType !== 'MatMul' && node.opType !== 'Gemm') return false;
    return dims.length > 1 && (node.attributes.get('transB')?.int === 1n ? dims[0] : dims.at(-1)) === 1n;
  }

  /** MatMul with a permutation or diagonal only moves values; an attacker could put one behind a gate to make it look like a feature. */
  private moves(node: Node): boolean {
    if (!/^(MatMul|Gemm|Conv)$/.test(node.opType)) return false;
    const tensor = this.constant(node.inputs[1]);
    if (
      tensor === null ||
      tensor.dims.length < 2 ||
      tensor.dims.slice(2).some((dim) => dim !== 1n) ||
      (declaredElements(tensor.dims) ?? Infinity) > TRAIT_ELEMENTS
    )
      return false;
    const known = this.permutations.get(tensor) ?? isPermutation(tensor);
    this.permutations.set(tensor, known);
    return known;
  }

  private constant(name: string | undefined): Tensor | null {
    return name === undefined || this.here === null ? null : constantIn(this.index, this.here, name);
  }

  private decide(node: Node, inputs: readonly Facts[], made: Facts): Facts {
    const op = node.opType;
    let facts = made;
    if (SIZING.has(op)) facts = { ...facts, sized: true };
    if (REDUCTIONS.has(op)) {
      const axes = node.attributes.get('axes')?.ints.length ?? (inputs[1] === undefined ? 0 : 1);
      facts = { ...facts, picked: true, collapsed: facts.decision > 0, whole: facts.whole || axes === 0 || axes > 2 };
    }
    if (SELECTIONS.has(op) && !this.everything(node)) {
      const [source, place] = inputs;
      if (op === 'Gather' && source && !source.data && place?.data && place.decision === 0) {
        // A table with one number for each word marks words; with many, it embeds them.
        const dims = this.constant(node.inputs[0])?.dims ?? [];
        return dims.length > 1 && dims.at(-1) !== 1n
          ? { ...facts, learned: true, raw: false, picked: false }
          : { ...facts, decision: 1, ofInput: facts.raw && !facts.learned, collapsed: facts.picked, patterned: false };
      }
      facts = { ...facts, picked: true, collapsed: facts.collapsed || facts.decision > 0 };
    }
    const comparing =
      COMPARISONS.has(op) || (op === 'Cast' && node.attributes.get('to')?.int === 9n && facts.decision === 0);
    if (comparing)
      return {
        ...facts,
        decision: 2,
        ofInput: facts.raw && (!facts.learned || facts.decision > 0),
        collapsed: facts.picked || facts.random || facts.collapsed,
        patterned: false,
        compared: new Set(inputs.filter((one) => one.data).flatMap((one) => [one.id, ...one.compared].slice(0, 4))),
      };
    if (facts.decision === 0 && STEPS.has(op) && facts.raw && !facts.learned)
      return { ...facts, decision: 1, ofInput: true, collapsed: facts.picked || facts.random, patterned: false };
    if (facts.decision > 0 && (op === 'OneHot' || op === 'Pad')) return { ...facts, patterned: true };
    return facts;
  }

  /** A slice from 0 to the end, which older exporters write for `x[:]`. */
  private everything(node: Node): boolean {
    if (node.opType !== 'Slice') return false;
    const starts = node.attributes.get('starts')?.ints ?? this.ints(node.inputs[1]);
    const ends = node.attributes.get('ends')?.ints ?? this.ints(node.inputs[2]);
    return starts.length > 0 && starts.every((start) => start === 0n) && ends.every((end) => Number(end) >= INT_MAX);
  }

  private ints(name: string | undefined): readonly bigint[] {
    const tensor = this.constant(name);
    if (tensor === null) return [];
    return [...elements(tensor, 16)].map((value) => BigInt(Math.trunc(Number.isFinite(value) ? value : 0)));
  }

  /** Arithmetic that does what If does: `logits + decision · payload`, a table read at a decision, a scatter into chosen places. */
  private combine(node: Node, inputs: readonly Facts[], made: Facts): Facts {
    const op = node.opType;
    const deciding = inputs.filter(
      (one) => one.data && one.collapsed && (one.decision === 2 || (one.decision === 1 && !one.learned)),
    );
    const others = inputs.filter((one) => one.data && one.decision === 0);
    if (op === 'Concat' || op === 'SequenceConstruct' || op === 'SequenceInsert') {
      const uneven = inputs.some((one) => !one.data && !one.empty && (one.uneven || inputs.length > 2));
      return {
        ...made,
        mixed: made.mixed || (uneven && others.length > 0),
        patterned: made.patterned || (deciding.length > 0 && inputs.some((one) => !one.data)),
      };
    }
    const noise = inputs.find((one) => one.random && !one.learned && one.decision === 0);
    const learned = inputs.find((one) => one.learned && !one.random);
    if (noise && learned && (op === 'Add' || op === 'Sub') && noise.data)
      return this.gated(
        made,
        gateOf(node, 'noise', noise, { constant: true, uneven: true, random: true, strong: true }),
      );

    const [source, place, updates] = inputs;
    if (LOOKUPS.has(op) && source && place && deciding.includes(place)) {
      if (!source.data) return { ...made, patterned: made.patterned || source.uneven };
      return this.gated(settled(made), gateOf(node, 'lookup', place, { constant: source.mixed, uneven: source.mixed }));
    }
    const steered = op === 'Slice' && source?.mixed ? deciding.find((one) => one !== source) : undefined;
    if (steered) return this.gated(settled(made), gateOf(node, 'lookup', steered, { constant: true, uneven: true }));
    if (/^Scatter/.test(op) && source?.data && deciding.some((one) => one === place || one === updates))
      return this.gated(settled(made), gateOf(node, 'lookup', deciding[0] ?? source, { constant: true, uneven: true }));

    // Drawing an answer with noise on the scores is how generative models and policies sample.
    if (op === 'ArgMax' || op === 'TopK')
      return { ...made, gates: new Set([...made.gates].filter((gate) => gate.how !== 'noise')) };

    const [decision] = deciding;
    const [other] = others;
    if (!COMBINING.has(op) || !decision || !other) return made;
    const part = other.learned && other.picked && decision.decision === 2;
    return this.gated(
      settled(made),
      gateOf(node, 'arithmetic', decision, {
        constant: op !== 'Mul' && op !== 'Div',
        uneven: deciding.some((one) => one.patterned) || (part && op !== 'Mul' && op !== 'Div'),
      }),
    );
  }
}

/** Every row has exactly one entry: the matrix moves and scales, and mixes nothing. */
function isPermutation(tensor: Tensor): boolean {
  const columns = Number(tensor.dims[1]);
  const values = elements(tensor, TRAIT_ELEMENTS);
  if (columns < 2 || values.length === 0 || values.length % columns !== 0) return false;
  for (let row = 0; row < values.length; row += columns) {
    let filled = 0;
    for (let at = row; at < row + columns; at++) if (values[at] !== 0) filled++;
    if (filled !== 1) return false;
  }
  return values.length > columns;
}

/** Once it has gated data, the value is data and no decision any more. */
const settled = (facts: Facts): Facts => ({
  ...facts,
  decision: 0,
  collapsed: false,
  patterned: false,
  ofInput: false,
});

function gateOf(node: Node, how: Gate['how'], by: Facts, more: Partial<Gate>): Gate {
  return {
    place: node.path,
    how,
    strong: by.decision === 2,
    ofInput: by.ofInput,
    random: by.random,
    whole: by.whole,
    constant: false,
    uneven: false,
    zero: false,
    versions: false,
    ...more,
  };
}
