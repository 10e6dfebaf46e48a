import type { FallbackRule } from '../../domain/contracts/stance.ts';

/** Why these rules could leave a request without an answer; null where they cannot. */
export function weaknessOfRules(rules: readonly FallbackRule[]): string | null {
  if (rules.at(-1)?.when !== null)
    return 'the last fallback rule has a condition, so a request could go without an answer';
  if (new Set(rules.map((rule) => rule.scores.length)).size !== 1)
    return 'the fallback rules give score rows of different lengths';
  if (rules.some((rule) => !rule.scores.every(Number.isFinite))) return 'a score of a fallback rule is not a number';
  return null;
}

/** The scores of the first rule that holds for the record. A feature that the record does not have makes a condition false. */
export function applyRules(rules: readonly FallbackRule[], features: readonly number[]): readonly number[] {
  const rule = rules.find(({ when }) => when === null || holds(when, features[when.feature]));
  return rule?.scores ?? [];
}

function holds(when: NonNullable<FallbackRule['when']>, feature: number | undefined): boolean {
  if (feature === undefined) return false;
  switch (when.op) {
    case '<':
      return feature < when.value;
    case '<=':
      return feature <= when.value;
    case '>':
      return feature > when.value;
    case '>=':
      return feature >= when.value;
    case '==':
      return feature === when.value;
  }
}
