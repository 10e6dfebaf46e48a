import type { Gate } from '../flow/facts.ts';
import { FlowAnalysis, type Flow } from '../flow/analysis.ts';
import type { Level, Rule, Subject } from '../rule.ts';

const flows = new WeakMap<Subject, Flow | null>();

function flowOf(subject: Subject): Flow | null {
  if (!flows.has(subject))
    flows.set(subject, subject.model.main && new FlowAnalysis(subject.index).run(subject.model.main));
  return flows.get(subject) ?? null;
}

/**
 * Honest models decide too: masks, guards against division by zero, early exits, thresholds of detectors. What they do not have is a decision
 * about the input as a whole, or about one place of it, that puts constants, different for each class, where the answer would be.
 */
function levelOf(gate: Gate, atOutput: boolean): Level {
  const replaces = gate.how === 'If' || gate.how === 'Where' || gate.how === 'Loop';
  if (gate.random) return atOutput ? 'alarm' : 'note';
  if (gate.ofInput && atOutput) {
    if (gate.uneven) return 'alarm';
    return gate.strong && gate.how === 'If' && gate.constant && !gate.zero ? 'alarm' : 'note';
  }
  if (gate.ofInput)
    return gate.strong && gate.constant && gate.uneven && (replaces || gate.how === 'lookup') ? 'alarm' : 'note';
  const writes = replaces || (gate.strong && (gate.how === 'arithmetic' || gate.how === 'lookup'));
  return atOutput && writes && gate.uneven && (gate.constant || gate.whole) ? 'alarm' : 'note';
}

function words(gate: Gate, atOutput: boolean): string {
  const about = gate.random ? 'chance' : gate.ofInput ? 'a part of the raw input' : 'a feature';
  const what = gate.versions ? 'two versions of one value' : gate.constant ? 'a constant and data' : 'two values';
  return `${about} decides between ${what}${atOutput ? ', and nothing learned stands between that and an output' : ''}`;
}

function gateRule(how: readonly Gate['how'][], id: string, meaning: string, random = false): Rule {
  return {
    id,
    level: 'alarm',
    meaning,
    alarmingWhenNew: true,
    *check(subject) {
      const flow = flowOf(subject);
      for (const gate of flow?.gates ?? [])
        if (how.includes(gate.how) && gate.random === random) {
          const atOutput = flow?.atOutput.has(gate) ?? false;
          yield { place: gate.place, words: words(gate, atOutput), level: levelOf(gate, atOutput) };
        }
    },
  };
}

/** ShadowLogic (HiddenLayer 2024; arXiv 2511.00664) and its relatives: a backdoor that is drawn into the graph and survives retraining. */
export const gateRules: readonly Rule[] = [
  gateRule(['If'], 'gate/if', 'A branch on the input decides what the answer is.'),
  gateRule(['Where'], 'gate/select', 'A selection on the input puts a constant where the answer would be.'),
  gateRule(['Loop'], 'gate/loop', 'A loop that turns or does not, depending on the input, rewrites the answer.'),
  gateRule(
    ['arithmetic'],
    'gate/arithmetic',
    'A decision about the input is multiplied by constants and added to the answer.',
  ),
  gateRule(['lookup'], 'gate/lookup', 'A decision about the input chooses a row of a table or a place to write to.'),
  gateRule(['If', 'Where', 'Loop', 'arithmetic', 'lookup', 'noise'], 'gate/chance', 'Chance changes the answer.', true),
  {
    id: 'operator/random',
    level: 'note',
    alarmingWhenNew: true,
    meaning: 'An operator that draws at random; generative models have them, classifiers do not.',
    *check(subject) {
      for (const { place, opType } of flowOf(subject)?.random ?? []) yield { place, words: opType };
    },
  },
  {
    id: 'gate/unfinished',
    level: 'alarm',
    meaning: 'The graph unfolds to more nodes than were followed.',
    *check(subject) {
      if (flowOf(subject)?.finished === false)
        yield { place: 'graph', words: 'the flow of data was not followed to its end' };
    },
  },
];
