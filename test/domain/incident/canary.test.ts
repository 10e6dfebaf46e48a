import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CanaryFigures } from '../../../domain/contracts/activities.ts';
import { judgeCanary } from '../../../domain/incident/canary.ts';

const limits = { requests: 100, maxErrorRate: 0.01, maxConfidenceDrop: 0.1 };

function figures(about: Partial<CanaryFigures> = {}): CanaryFigures {
  return {
    requests: 200,
    errors: 0,
    meanConfidence: 0.95,
    goldenMeanConfidence: 0.97,
    classMix: [],
    counters: { requests: 0, refused: 0, invalid: 0, errors: 0, arms: {} },
    ...about,
  };
}

describe('the verdict on a canary', () => {
  it('is to promote what was seen enough and did well', () => {
    expect(judgeCanary(figures(), limits)).toEqual({ verdict: 'promote' });
    expect(judgeCanary(figures({ requests: 100, errors: 1, meanConfidence: 0.88 }), limits).verdict).toBe('promote');
  });

  it.each([
    ['silence', { requests: 0 }, 'only 0 of 100 answers were observed'],
    ['too few answers', { requests: 99 }, 'only 99 of 100 answers were observed'],
    ['failing answers', { errors: 3 }, '1.5 % of the answers failed; 1.0 % are allowed'],
    [
      'a loss of confidence',
      { meanConfidence: 0.8 },
      'the mean confidence is 0.170 below the golden profile; 0.1 is allowed',
    ],
  ])('is to roll back on %s, and says why', (_name, about, because) => {
    expect(judgeCanary(figures(about), limits)).toEqual({ verdict: 'roll-back', because });
  });

  it.each([
    ['confidence', { meanConfidence: Number.NaN }],
    ["golden model's confidence", { goldenMeanConfidence: Number.NaN }],
    ['count of answers', { requests: Number.NaN }],
    ['count of errors', { errors: Number.NaN }],
  ])(
    'is to roll back when the %s is not a number: a broken candidate must not pass by answering NaN',
    (_name, about) => {
      expect(judgeCanary(figures(about), limits).verdict).toBe('roll-back');
    },
  );

  it('never turns to promote by doing worse', () => {
    const measured = fc.record({
      requests: fc.nat(300),
      errors: fc.nat(300),
      meanConfidence: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(measured, fc.nat(50), fc.double({ min: 0, max: 1, noNaN: true }), (seen, errors, loss) => {
        const worse = { ...seen, errors: seen.errors + errors, meanConfidence: seen.meanConfidence - loss };
        if (judgeCanary(figures(seen), limits).verdict === 'roll-back')
          expect(judgeCanary(figures(worse), limits).verdict).toBe('roll-back');
      }),
    );
  });
});
