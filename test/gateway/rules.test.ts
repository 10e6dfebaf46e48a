import { describe, expect, it } from '@jest/globals';
import type { FallbackRule } from '../../domain/contracts/stance.ts';
import { createRules, weaknessOfRules } from '../../gateway/stance/rules.ts';

const rule = (when: FallbackRule['when'], scores: number[] = [1, 0]): FallbackRule => ({ when, scores, reason: 'r' });
const otherwise = rule(null, [0, 1]);

describe('fallback rules', () => {
  it('answer by the first condition that holds, in CEL or as a comparison', () => {
    const rules = createRules([
      rule({ cel: 'features[0] > 0.5 && features[1] < 2.0' }, [1, 0]),
      rule({ cel: 'features.exists(value, value > 9.0)' }, [0.5, 0.5]),
      rule({ feature: 1, op: '>=', value: 3 }, [0.2, 0.8]),
      otherwise,
    ]);
    expect(rules.scoresFor([1, 1])).toEqual([1, 0]);
    expect(rules.scoresFor([0, 10])).toEqual([0.5, 0.5]);
    expect(rules.scoresFor([1, 3])).toEqual([0.2, 0.8]);
    expect(rules.scoresFor([0, 0])).toEqual([0, 1]);
    // A record that is too short has none of it.
    expect(rules.scoresFor([])).toEqual([0, 1]);
  });

  const weak: readonly (readonly [string, FallbackRule[], number | null, RegExp])[] = [
    ['a last rule with a condition', [rule({ cel: 'true' })], null, /last fallback rule/],
    ['an expression that cannot be read', [rule({ cel: 'features[0] >' }), otherwise], null, /rule 0.*features\[0\]/],
    ['one that gives a number', [rule({ cel: 'features[0]' }), otherwise], null, /expected true or false/],
    ['one that names what is not there', [rule({ cel: 'request.size() > 1' }), otherwise], null, /request/],
    ['one that compares a feature with a text', [rule({ cel: 'features[0] == "a"' }), otherwise], null, /rule 0/],
    ['a feature that the model does not take', [rule({ cel: 'features[64] > 0.0' }), otherwise], 64, /rule 0/],
    ['the same as a comparison', [rule({ feature: 64, op: '<', value: 1 }), otherwise], 64, /takes 64 features/],
    [
      'walks inside one another',
      [rule({ cel: 'features.all(a, features.all(b, a < b))' }), otherwise],
      null,
      /inside another walk/,
    ],
    ['scores of different lengths', [rule({ cel: 'true' }, [1]), otherwise], null, /different lengths/],
  ];
  for (const [what, rules, width, expected] of weak)
    it(`are refused for ${what}, before they are taken`, () => {
      expect(weaknessOfRules(rules, width)).toMatch(expected);
    });

  it('are taken where they have an answer for every record', () => {
    expect(weaknessOfRules([rule({ cel: 'features[63] > 0.5 || features[0] <= 0.1' }), otherwise], 64)).toBeNull();
  });
});
