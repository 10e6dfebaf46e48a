import type { Scope } from '../file/model.ts';
import { domainOf } from '../operators.ts';
import type { Hit, Rule } from '../rule.ts';

function* twice(names: readonly string[], place: string, what: string): Iterable<Hit> {
  const seen = new Set<string>();
  for (const name of names) {
    if (name !== '' && seen.has(name)) yield { place, words: `${what} ${quoted(name)} stands there twice` };
    seen.add(name);
  }
}

export const quoted = (name: string): string => JSON.stringify(name.slice(0, 80));

const heldBy = (scope: Scope): string[] => [
  ...scope.initializers.map((tensor) => tensor.name),
  ...scope.sparse.map((sparse) => sparse.values?.name ?? ''),
];

export const nameRules: readonly Rule[] = [
  {
    id: 'names/duplicate',
    level: 'alarm',
    meaning: 'Two things have one name: which of them counts depends on the engine.',
    *check({ model }) {
      for (const scope of model.scopes) {
        yield* twice(heldBy(scope), scope.path, 'initializer');
        yield* twice(
          scope.nodes.flatMap((node) => node.outputs),
          scope.path,
          'value',
        );
        yield* twice(
          scope.inputs.map((input) => input.name),
          scope.path,
          'input',
        );
        for (const node of scope.nodes)
          yield* twice(
            node.attributeList.map((attribute) => attribute.name),
            node.path,
            'attribute',
          );
      }
      yield* twice(
        model.functions.map((body) => body.key),
        'functions',
        'function',
      );
      // Exporters name the standard as `` and as `ai.onnx`; that is odd only where the versions differ.
      const versions = new Set(model.opsets.map((opset) => `${domainOf(opset.domain)} ${opset.version}`));
      yield* twice(
        [...versions].map((entry) => entry.split(' ')[0] || 'ai.onnx'),
        'model',
        'operator set',
      );
    },
  },
  {
    id: 'names/shadowed-node',
    level: 'alarm',
    meaning: 'A constant has the name of a computed value and may stand in for it.',
    *check({ model, index }) {
      for (const scope of model.scopes) {
        const made = index.producers.get(scope);
        const inputs = new Set(scope.inputs.map((input) => input.name));
        for (const name of heldBy(scope))
          if (made?.has(name))
            yield { place: scope.path, words: `initializer ${quoted(name)} shadows a node's output` };
        for (const name of made?.keys() ?? [])
          if (inputs.has(name)) yield { place: scope.path, words: `a node's output ${quoted(name)} shadows an input` };
      }
    },
  },
  {
    id: 'names/shadowed-outer',
    level: 'alarm',
    meaning:
      'A subgraph defines a name again that the graph around it has: what it reads is not what it seems to read.',
    *check({ model, index }) {
      const outside = new Map<Scope, ReadonlySet<string>>();
      const own = (scope: Scope): string[] => [
        ...scope.inputs.map((input) => input.name),
        ...heldBy(scope),
        ...(index.producers.get(scope)?.keys() ?? []),
      ];
      for (const scope of model.scopes) {
        if (scope.parent === null) continue;
        for (let outer: Scope | null = scope.parent; outer !== null; outer = outer.parent) {
          const names = outside.get(outer) ?? new Set(own(outer));
          outside.set(outer, names);
          for (const name of new Set(own(scope)))
            if (name !== '' && names.has(name)) yield { place: scope.path, words: `${quoted(name)} is defined again` };
        }
      }
    },
  },
  {
    id: 'names/shadowed-input',
    level: 'alarm',
    meaning: 'An initializer stands in for the data that the model should be asked with.',
    *check({ model, index }) {
      const main = model.main;
      if (main === null) return;
      const held = new Map(main.initializers.map((tensor) => [tensor.name, tensor]));
      for (const { name, shape } of main.inputs) {
        const tensor = held.get(name);
        if (tensor === undefined) continue;
        const fits =
          shape === null ||
          (shape.length === tensor.dims.length &&
            shape.every((dim, at) => typeof dim !== 'bigint' || dim === tensor.dims[at]));
        const dynamic = shape?.some((dim) => typeof dim === 'string') ?? false;
        if (!fits) yield { place: main.path, words: `input ${quoted(name)} and its initializer have different shapes` };
        else if (dynamic)
          yield { place: main.path, words: `input ${quoted(name)} of free size is filled by an initializer` };
      }
      if (main.inputs.length > 0 && index.dataInputs.length === 0)
        yield { place: main.path, words: 'every input has a default: the model answers without being asked' };
    },
  },
  {
    id: 'names/default-input',
    level: 'note',
    alarmingWhenNew: true,
    meaning: 'Inputs with a default value: whoever sends a request may replace these weights.',
    *check({ model, index }) {
      const main = model.main;
      const defaults = (main?.inputs.length ?? 0) - index.dataInputs.length;
      if (main && defaults > 0 && model.irVersion >= 4n)
        yield { place: main.path, words: `${defaults} of ${main.inputs.length} inputs have a default` };
    },
  },
  {
    id: 'names/function-shadows-operator',
    level: 'alarm',
    meaning: "A local function takes a standard operator's place.",
    *check({ model }) {
      for (const body of model.functions)
        if (['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'].includes(body.domain))
          yield { place: body.scope.path, words: `function ${quoted(body.name)} lies in the domain of the standard` };
    },
  },
];
