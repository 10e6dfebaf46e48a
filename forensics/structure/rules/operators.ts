import type { Node, Scope } from '../file/model.ts';
import { constantIn, type Index } from '../file/names.ts';
import { elements } from '../file/numbers.ts';
import { domainOf, isKnownDomain, isKnownOperator } from '../operators.ts';
import type { Hit, Rule, Subject } from '../rule.ts';
import { quoted } from './names.ts';

/** Operators that hand text to an interpreter or a library: code that runs when the model is asked. */
const CODE =
  /^(PyOp|PythonOp|PyCustomOp|ATen|ATenOp|PyTorchOp|ExternalOp|CustomOp|Exec|Eval|Shell|System|LoadLibrary|PyFunc|PyCall)$/i;
const MAX_IR = 20n;
const MAX_OPSET = 60n;

function* eachNode({ model, index }: Subject): Iterable<readonly [Node, Scope]> {
  for (const scope of model.scopes)
    for (const node of scope.nodes) if (!index.functions.has(node.key)) yield [node, scope];
}

/** Training mode of Dropout and BatchNormalization, by attribute or by input, in every version of the operators. */
function trains(node: Node, scope: Scope, index: Index, opset: bigint): boolean {
  if (node.opType === 'BatchNormalization') {
    if (opset >= 14n) return node.attributes.get('training_mode')?.int === 1n;
    return opset >= 7n ? node.outputs.filter((name) => name !== '').length > 1 : false;
  }
  if (node.opType !== 'Dropout' || opset < 12n) return false;
  const flag = node.inputs[2] === undefined ? null : constantIn(index, scope, node.inputs[2]);
  const ratio = node.inputs[1] === undefined ? null : constantIn(index, scope, node.inputs[1]);
  return flag !== null && (elements(flag, 1)[0] ?? 0) !== 0 && (ratio === null || elements(ratio, 1)[0] !== 0);
}

function* versions({ model }: Subject): Iterable<Hit> {
  if (model.main === null) return;
  if (model.irVersion < 1n || model.irVersion > MAX_IR)
    yield { place: 'model', words: `IR version ${model.irVersion}` };
  for (const { domain, version } of [...model.opsets, ...model.functions.flatMap((body) => body.opsets)])
    if (version < 1n || version > (domain === '' || domain === 'ai.onnx' ? MAX_OPSET : 100_000n))
      yield { place: 'model', words: `operator set ${domain || 'ai.onnx'} ${version}` };
  if (model.irVersion < 3n) return;
  const imported = new Set(model.opsets.map((opset) => domainOf(opset.domain)));
  const missing = new Set<string>();
  for (const scope of model.scopes)
    if (scope.kind === 'graph' || scope.kind === 'subgraph')
      for (const node of scope.nodes) if (!imported.has(domainOf(node.domain))) missing.add(domainOf(node.domain));
  if (!model.functions.length)
    for (const domain of missing)
      yield { place: 'model', words: `uses operators of ${quoted(domain)}, which it does not import` };
}

export const operatorRules: readonly Rule[] = [
  {
    id: 'operator/code',
    level: 'alarm',
    meaning: 'An operator that runs code from the file or from the machine.',
    *check(subject) {
      for (const [node] of eachNode(subject))
        if (CODE.test(node.opType))
          yield { place: node.path, words: `operator ${quoted(`${node.domain}.${node.opType}`)}` };
    },
  },
  {
    id: 'operator/unknown',
    level: 'alarm',
    meaning: 'An operator that its domain does not have, in any version.',
    *check(subject) {
      for (const [node] of eachNode(subject))
        if (
          isKnownDomain(node.domain) &&
          domainOf(node.domain) !== 'com.microsoft' &&
          !isKnownOperator(node.domain, node.opType) &&
          !CODE.test(node.opType)
        )
          yield { place: node.path, words: `${quoted(node.opType)} is no operator of ${node.domain || 'ai.onnx'}` };
    },
  },
  {
    id: 'operator/custom-domain',
    level: 'alarm',
    meaning: 'An operator of a domain that the file does not define: a native library has to be loaded to run it.',
    *check(subject) {
      for (const [node] of eachNode(subject))
        if (!isKnownDomain(node.domain) && !CODE.test(node.opType))
          yield { place: node.path, words: `operator ${quoted(node.opType)} of domain ${quoted(node.domain)}` };
    },
  },
  {
    id: 'operator/contributed',
    level: 'note',
    alarmingWhenNew: true,
    meaning: 'Operators of ONNX Runtime that are not in the standard.',
    *check(subject) {
      const seen = new Set<string>();
      for (const [node] of eachNode(subject))
        if (node.domain === 'com.microsoft' && !seen.has(node.opType)) {
          seen.add(node.opType);
          const known = isKnownOperator(node.domain, node.opType);
          yield {
            place: node.path,
            words: `operator com.microsoft.${node.opType.slice(0, 80)}`,
            level: known ? 'note' : 'alarm',
          };
        }
    },
  },
  {
    id: 'operator/training-mode',
    level: 'alarm',
    meaning: 'A layer answers in training mode: the same question gets different answers.',
    *check(subject) {
      // Without weights of its own a file is an exercise for an operator, not a model.
      if ((subject.model.main?.initializers.length ?? 0) === 0) return;
      const opset = subject.model.opsets.find((entry) => domainOf(entry.domain) === '')?.version ?? 1n;
      for (const [node, scope] of eachNode(subject))
        if (trains(node, scope, subject.index, opset))
          yield { place: node.path, words: `${node.opType} in training mode` };
    },
  },
  {
    id: 'operator/version',
    level: 'alarm',
    meaning: 'Versions that no release of the format has.',
    check: versions,
  },
];
