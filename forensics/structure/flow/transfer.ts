import type { Node } from '../file/model.ts';
import type { Standing } from './constants.ts';
import { constant, join, type Facts } from './facts.ts';
import { choose, gated, gateOf, settled, type FlowState } from './gating.ts';
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

/** What is true of the node's results, given what is true of its inputs. */
export function operator(state: FlowState, at: Standing, inputs: readonly Facts[]): Facts {
  const { node } = at;
  const op = node.opType;
  if (RANDOM.has(op)) {
    state.random.set(node, { place: node.path, opType: op });
    const made = join(state.ids, inputs);
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
      ? state.constants.tensor(tensor)
      : constant(state.ids, { uneven: sparse || list.some((value) => value !== list[0]) });
  }
  if (op === 'ConstantOfShape') {
    const tensor = node.attributes.get('value')?.tensor;
    const [shape] = inputs;
    const facts = tensor ? state.constants.tensor(tensor) : constant(state.ids, { zero: true });
    return { ...facts, sized: shape?.sized ?? false, empty: (shape?.zero ?? false) || facts.empty };
  }
  if (op === 'Shape' || op === 'Size') {
    const [of] = inputs;
    return of?.sized ? { ...join(state.ids, inputs), picked: true } : constant(state.ids, { uneven: true });
  }
  if (op === 'Where' && inputs[0] && inputs[1] && inputs[2])
    return choose(state, node, 'Where', inputs[0], inputs[1], inputs[2]);

  const made = join(state.ids, FIRST_ONLY.has(op) ? inputs.slice(0, 1) : inputs);
  if (SAME_VALUE.has(op) && made.data && inputs[0]) return { ...made, id: inputs[0].id };
  if (!made.data) return { ...made, uneven: made.uneven || (UNEVEN.has(op) && !made.zero) };
  if (LEARNED.has(op)) return layer(state, at, inputs, made);
  return combine(state, node, inputs, decide(state, at, inputs, made));
}

/** Behind a layer there are features. A decision that a constant matrix spreads over the outputs stays a decision. */
function layer(state: FlowState, at: Standing, inputs: readonly Facts[], made: Facts): Facts {
  const moving = inputs.filter((one) => one.data);
  const spread = moving.length > 0 && moving.every((one) => one.decision > 0 && one.collapsed && !one.learned);
  if (spread) return { ...made, patterned: true };
  if (inputs.length === 1 || state.constants.moves(at)) return made;
  return {
    ...constant(state.ids),
    data: true,
    learned: true,
    raw: false,
    random: made.random && !moving.some((one) => !one.random),
    sized: made.sized,
    // One unit is a verdict about the whole input, as a reduction is.
    picked: state.constants.isOneUnit(at),
  };
}

/** Where a decision is made, and what selecting and reducing does to it. */
function decide(state: FlowState, at: Standing, inputs: readonly Facts[], made: Facts): Facts {
  const { node, scope } = at;
  const op = node.opType;
  let facts = made;
  if (SIZING.has(op)) facts = { ...facts, sized: true };
  if (REDUCTIONS.has(op)) {
    const axes = node.attributes.get('axes')?.ints.length ?? (inputs[1] === undefined ? 0 : 1);
    facts = { ...facts, picked: true, collapsed: facts.decision > 0, whole: facts.whole || axes === 0 || axes > 2 };
  }
  if (SELECTIONS.has(op) && !state.constants.everything(at)) {
    const [source, place] = inputs;
    if (op === 'Gather' && source && !source.data && place?.data && place.decision === 0) {
      // A table with one number for each word marks words; with many, it embeds them.
      const dims = state.constants.at(scope, node.inputs[0])?.dims ?? [];
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

/** Arithmetic that does what If does: `logits + decision · payload`, a table read at a decision, a scatter into chosen places. */
function combine(state: FlowState, node: Node, inputs: readonly Facts[], made: Facts): Facts {
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
    return gated(
      state,
      made,
      gateOf(node, 'noise', noise, { constant: true, uneven: true, random: true, strong: true }),
    );

  const [source, place, updates] = inputs;
  if (LOOKUPS.has(op) && source && place && deciding.includes(place)) {
    if (!source.data) return { ...made, patterned: made.patterned || source.uneven };
    return gated(state, settled(made), gateOf(node, 'lookup', place, { constant: source.mixed, uneven: source.mixed }));
  }
  const steered = op === 'Slice' && source?.mixed ? deciding.find((one) => one !== source) : undefined;
  if (steered) return gated(state, settled(made), gateOf(node, 'lookup', steered, { constant: true, uneven: true }));
  if (/^Scatter/.test(op) && source?.data && deciding.some((one) => one === place || one === updates))
    return gated(state, settled(made), gateOf(node, 'lookup', deciding[0] ?? source, { constant: true, uneven: true }));

  // Drawing an answer with noise on the scores is how generative models and policies sample.
  if (op === 'ArgMax' || op === 'TopK')
    return { ...made, gates: new Set([...made.gates].filter((gate) => gate.how !== 'noise')) };

  const [decision] = deciding;
  const [other] = others;
  if (!COMBINING.has(op) || !decision || !other) return made;
  const part = other.learned && other.picked && decision.decision === 2;
  return gated(
    state,
    settled(made),
    gateOf(node, 'arithmetic', decision, {
      constant: op !== 'Mul' && op !== 'Div',
      uneven: deciding.some((one) => one.patterned) || (part && op !== 'Mul' && op !== 'Div'),
    }),
  );
}
