import type { FallbackRule } from '../../domain/contracts/stance.ts';
import { compileCondition, tryCondition, type Condition } from './rule-expression.ts';

/** Rules that answer in a model's place, ready to be applied. */
export interface Rules {
  /** The scores of the first rule that holds for the record. A feature that the record does not have makes a condition false. */
  scoresFor(features: readonly number[]): readonly number[];
}

/**
 * Why these rules could leave a request without an answer, or mean something else than they say; null where they cannot. `width` is how many features
 * the model takes that they stand in for, null where that is not known: then conditions are not tried on a record.
 */
export function weaknessOfRules(rules: readonly FallbackRule[], width: number | null): string | null {
  if (rules.at(-1)?.when !== null)
    return 'the last fallback rule has a condition, so a request could go without an answer';
  if (new Set(rules.map((rule) => rule.scores.length)).size !== 1)
    return 'the fallback rules give score rows of different lengths';
  if (rules.some((rule) => !rule.scores.every(Number.isFinite))) return 'a score of a fallback rule is not a number';
  for (const [index, { when }] of rules.entries()) {
    const weak = when === null ? null : weaknessOfCondition(when, width);
    if (weak !== null) return `fallback rule ${index}: ${weak}`;
  }
  return null;
}

function weaknessOfCondition(when: NonNullable<FallbackRule['when']>, width: number | null): string | null {
  if (!('cel' in when))
    return width !== null && when.feature >= width
      ? `the model takes ${width} features, and the condition asks for number ${when.feature}`
      : null;
  try {
    compileCondition(when.cel);
    if (width !== null) tryCondition(when.cel, width);
    return null;
  } catch (error) {
    return `the expression ${JSON.stringify(when.cel.slice(0, 100))}: ${error instanceof Error ? error.message : 'cannot be used'}`;
  }
}

/** Of rules that have no weakness. */
export function createRules(rules: readonly FallbackRule[]): Rules {
  const compiled = rules.map(({ when, scores }) => ({ holds: conditionOf(when), scores }));
  return { scoresFor: (features) => compiled.find(({ holds }) => holds(features))?.scores ?? [] };
}

function conditionOf(when: FallbackRule['when']): Condition {
  if (when === null) return () => true;
  if ('cel' in when) return compileCondition(when.cel);
  const { feature, op, value } = when;
  return (features) => {
    const own = features[feature];
    return own !== undefined && COMPARE[op](own, value);
  };
}

const COMPARE: Readonly<Record<'<' | '<=' | '>' | '>=' | '==', (one: number, other: number) => boolean>> = {
  '<': (one, other) => one < other,
  '<=': (one, other) => one <= other,
  '>': (one, other) => one > other,
  '>=': (one, other) => one >= other,
  '==': (one, other) => one === other,
};
