import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CanaryFigures } from '../../../domain/contracts/activities.ts';
import { judgeCanary } from '../../../domain/incident/canary.ts';

const limits = { requests: 100, maxErrorRate: 0.01, maxConfidenceDrop: 0.1, maxLatencyRatio: 3 };

/** Counters of a canary by mean milliseconds of its two arms. */
function taking(candidate: number, live: number, answers = 100): CanaryFigures['counters'] {
  const arm = (ms: number, requests: number) => ({
    requests,
    errors: 0,
    byClass: [],
    confidenceSum: requests,
    latencyUsSum: 1000 * ms * requests,
  });
  const arms = { candidate: arm(candidate, 200), live: arm(live, answers) };
  return { requests: 200 + answers, refused: 0, invalid: 0, errors: 0, arms };
}

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

  it('is to roll back a candidate that is slow on the gateway, beside the golden model under the same load', () => {
    expect(judgeCanary(figures({ counters: taking(31, 10) }), limits)).toEqual({
      verdict: 'roll-back',
      because: "an answer took 31.00 ms in the mean, the golden model's beside it 10.00 ms; 30.00 ms are allowed",
    });
    expect(judgeCanary(figures({ counters: taking(29, 10) }), limits).verdict).toBe('promote');
    expect(judgeCanary(figures({ counters: taking(Number.NaN, 10) }), limits).verdict).toBe('roll-back');
  });

  it('does not call a small model slow for the noise of a queue, nor judge by a handful of answers or without a limit', () => {
    expect(judgeCanary(figures({ counters: taking(1.9, 0.1) }), limits).verdict).toBe('promote');
    expect(judgeCanary(figures({ counters: taking(31, 10, 9) }), limits).verdict).toBe('promote');
    const { maxLatencyRatio: _, ...earlier } = limits;
    expect(judgeCanary(figures({ counters: taking(31, 10) }), earlier).verdict).toBe('promote');
  });

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
