import type { Node } from '../file/model.ts';
import type { Constants } from './constants.ts';
import { join, union, type Facts, type Gate, type Identities } from './facts.ts';

/** What one analysis gathers on its way. */
export interface FlowState {
  readonly ids: Identities;
  readonly constants: Constants;
  readonly gates: Set<Gate>;
  readonly random: Map<Node, { readonly place: string; readonly opType: string }>;
}

/** Where(condition, a, b), the arms of If, a loop's state after and before. */
export function choose(
  state: FlowState,
  node: Node,
  how: 'If' | 'Where' | 'Loop',
  condition: Facts,
  a: Facts,
  b: Facts,
): Facts {
  const arms = [a, b];
  const made = join(state.ids, [...arms, { ...condition, learned: false, raw: false, data: condition.data }]);
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
  return gated(state, value, {
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

export function gated(state: FlowState, value: Facts, gate: Gate): Facts {
  state.gates.add(gate);
  return { ...value, gates: union([new Set([gate]), value.gates]) };
}

/** Once it has gated data, the value is data and no decision any more. */
export const settled = (facts: Facts): Facts => ({
  ...facts,
  decision: 0,
  collapsed: false,
  patterned: false,
  ofInput: false,
});

export function gateOf(node: Node, how: Gate['how'], by: Facts, more: Partial<Gate>): Gate {
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
