import { describe, expect, it } from '@jest/globals';
import { meanTolerance, upperRate } from '../../../gateway/sentinels/limits.ts';
import { bernoulliBets } from '../../../gateway/sentinels/sequential/bernoulli.ts';
import { meanBets } from '../../../gateway/sentinels/sequential/mean.ts';
import { surpriseBets } from '../../../gateway/sentinels/sequential/surprise.ts';
import { surpriseOf } from '../../../gateway/sentinels/tail.ts';
import { normal, randomOf } from './streams.ts';

const STREAMS = 400;
const LENGTH = 500;

/** How many of the streams pass c = 100·LENGTH / 5 at any time; the promise is at most LENGTH / c = 5 % of them. */
function passing(step: (random: () => number) => () => number): number {
  const threshold = Math.log(20 * LENGTH);
  let passed = 0;
  for (let seed = 0; seed < STREAMS; seed++) {
    const next = step(randomOf(seed));
    for (let at = 0; at < LENGTH; at++)
      if (next() >= threshold) {
        passed++;
        break;
      }
  }
  return passed / STREAMS;
}

/** Three standard errors above 5 % of 400 streams. */
const ALLOWED = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / STREAMS);

describe('an e-detector passes c within n requests of what is allowed with probability n / c at most', () => {
  it('for rates at their limit', () => {
    const rate = passing((random) => {
      const bets = bernoulliBets([0.1], 2);
      return () => bets.step(0, random() < 0.1);
    });
    expect(rate).toBeLessThanOrEqual(ALLOWED);
  });

  it('for means at the edge of the tolerance, also of a skewed law', () => {
    const rate = passing((random) => {
      const bets = meanBets([0], [0.2]);
      // Exponential less 1 has mean 0; what is clipped lies above, so the mean that is seen is smaller still.
      return () => bets.step(0, -Math.log(1 - random()) - 1 + 0.2);
    });
    expect(rate).toBeLessThanOrEqual(ALLOWED);
  });

  it('for p-values that are uniform', () => {
    const rate = passing((random) => {
      const bets = surpriseBets(1, [0.01, 0.04], 1e-7);
      return () => bets.step(0, random());
    });
    // Two tests, told apart in the threshold by who uses them.
    expect(rate).toBeLessThanOrEqual(2 * ALLOWED);
  });
});

describe('each factor has mean 1 at most', () => {
  it('of the bets on a rate, whatever the rate below its limit', () => {
    for (const rate of [0, 0.02, 0.05, 0.1]) {
      const [up, down] = [bernoulliBets([0.1], 4).step(0, true), bernoulliBets([0.1], 4).step(0, false)];
      expect(rate * Math.exp(up) + (1 - rate) * Math.exp(down)).toBeLessThanOrEqual(1 + 1e-12);
    }
  });

  it('of the calibrator, by quadrature', () => {
    let sum = 0;
    const steps = 200_000;
    for (let at = 0; at < steps; at++)
      sum += Math.exp(surpriseBets(1, [0.3], 1e-7).step(0, (at + 0.5) / steps)) / steps;
    expect(sum).toBeLessThanOrEqual(1);
    expect(sum).toBeGreaterThan(0.97);
  });
});

describe('limits from a sample', () => {
  it('lie above the true rate nearly always', () => {
    const random = randomOf(5);
    let below = 0;
    for (let turn = 0; turn < 1000; turn++) {
      let happened = 0;
      for (let at = 0; at < 300; at++) if (random() < 0.05) happened++;
      if (upperRate(happened, 300, 0.01) < 0.05) below++;
    }
    expect(below).toBeLessThanOrEqual(10);
  });

  it('come closer the larger the sample is, and never closer than nobody cares', () => {
    expect(upperRate(30, 300, 0.01)).toBeGreaterThan(upperRate(300, 3000, 0.01));
    expect(upperRate(0, 0, 0.01)).toBe(1);
    expect(meanTolerance(1, 300, 0.001)).toBeGreaterThan(meanTolerance(1, 3000, 0.001));
    expect(meanTolerance(1, 1e9, 0.001)).toBe(0.1);
  });
});

describe('the law of the tail', () => {
  it('says p-values that are at least the true ones in the mean, far beyond the sample', () => {
    const random = randomOf(8);
    const sorted = Array.from({ length: 1000 }, () => -Math.log(1 - random())).sort((one, other) => one - other);
    const quantiles = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1].map((p) => sorted[Math.floor(p * 999)] ?? 0);
    const surprise = surpriseOf({ quantiles, tail: sorted.slice(-64) }, 1000);
    for (const score of [3, 5, 8, 12]) expect(surprise(score)).toBeGreaterThan(Math.exp(-score));
    expect(surprise(40)).toBeLessThan(1e-3);
    expect(surprise(NaN)).toBeLessThan(0.2);
  });

  it('claims no law where all values are one: only that others are rare', () => {
    const surprise = surpriseOf({ quantiles: new Array<number>(9).fill(2), tail: new Array<number>(30).fill(2) }, 300);
    expect(surprise(2)).toBe(1);
    expect(surprise(2.001)).toBe(surprise(1000));
    expect(surprise(1000)).toBeCloseTo(Math.log(100) / 300, 2);
  });
});

it('bets on means do not break on what is no number', () => {
  const bets = meanBets([0], [0.2]);
  for (let at = 0; at < 100; at++) bets.step(0, NaN);
  expect(Number.isFinite(bets.step(0, normal(randomOf(1))))).toBe(true);
});
