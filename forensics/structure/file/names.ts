import type { FunctionBody, Node, ScannedModel, Scope, Tensor } from './model.ts';

/** Who makes which name in which scope. */
export interface Index {
  readonly producers: ReadonlyMap<Scope, ReadonlyMap<string, Node>>;
  readonly constants: ReadonlyMap<Scope, ReadonlyMap<string, Tensor>>;
  /** Declared inputs by scope. */
  readonly inputs: ReadonlyMap<Scope, ReadonlySet<string>>;
  readonly functions: ReadonlyMap<string, FunctionBody>;
  /** Inputs of the main graph that a caller has to give: those without a default. */
  readonly dataInputs: readonly string[];
}

export function indexOf(model: ScannedModel): Index {
  const producers = new Map<Scope, Map<string, Node>>();
  const constants = new Map<Scope, Map<string, Tensor>>();
  for (const scope of model.scopes) {
    const made = new Map<string, Node>();
    const held = new Map(scope.initializers.map((tensor) => [tensor.name, tensor]));
    for (const node of scope.nodes) {
      for (const output of node.outputs) if (output !== '') made.set(output, node);
      const tensor = node.opType === 'Constant' ? node.attributes.get('value')?.tensor : null;
      if (tensor && node.outputs[0] !== undefined) held.set(node.outputs[0], tensor);
    }
    for (const sparse of scope.sparse) if (sparse.values) held.set(sparse.values.name, sparse.values);
    producers.set(scope, made);
    constants.set(scope, held);
  }
  const defaults = new Set([
    ...(model.main?.initializers.map((tensor) => tensor.name) ?? []),
    ...(model.main?.sparse.map((sparse) => sparse.values?.name ?? '') ?? []),
  ]);
  return {
    producers,
    constants,
    inputs: new Map(model.scopes.map((scope) => [scope, new Set(scope.inputs.map((input) => input.name))])),
    functions: new Map(model.functions.map((body) => [body.key, body])),
    dataInputs: (model.main?.inputs ?? []).map((input) => input.name).filter((name) => !defaults.has(name)),
  };
}

/** The nearest constant of that name, looking outwards from a subgraph as the engine does. */
export function constantIn(index: Index, from: Scope, name: string): Tensor | null {
  for (let scope: Scope | null = from; scope !== null; scope = scope.parent) {
    const found = index.constants.get(scope)?.get(name);
    if (found) return found;
    if (index.producers.get(scope)?.has(name) || index.inputs.get(scope)?.has(name)) return null;
  }
  return null;
}
