import { describe, expect, it } from '@jest/globals';
import { kinship } from '../../../forensics/ownership/kinship.ts';
import { mixtures } from '../../../forensics/ownership/queries.ts';
import type { Scores } from '../../../forensics/predictor/predictor.ts';
import { createNormal, createRandom } from '../../../forensics/statistics/bootstrap.ts';
import { incompleteBeta, predictionTail, studentTail } from '../../../forensics/statistics/student.ts';

const CLASSES = 4;
const QUERIES = 150;

/** Answers of made-up models: what all learn, and what each makes up by itself. */
function world(seed: number) {
  const normal = createNormal(createRandom(seed));
  const draw = () => Float32Array.from({ length: QUERIES * CLASSES }, normal);
  const common = draw();
  const mixed = (parts: readonly (readonly [number, Float32Array])[]): Scores => ({
    scores: common.map((value, at) => parts.reduce((sum, [weight, part]) => sum + weight * (part[at] ?? 0), value)),
    classes: CLASSES,
  });
  const quirks = draw();
  return {
    own: mixed([[0.5, quirks]]),
    twins: Array.from({ length: 8 }, () => mixed([[0.5, draw()]])),
    stranger: mixed([[0.8, draw()]]),
    copy: mixed([
      [0.2, quirks],
      [0.4, draw()],
    ]),
  };
}

describe('kinship', () => {
  it('calls no more strangers copies than was promised, and finds what took over some of the quirks', () => {
    const worlds = Array.from({ length: 200 }, (_, seed) => world(seed));
    const accused = worlds.filter(({ own, twins, stranger }) => kinship(stranger, own, twins).pValue <= 0.05);
    const found = worlds.filter(({ own, twins, copy }) => kinship(copy, own, twins).pValue <= 0.05);
    // 5 % of 200, and three deviations of a binomial above.
    expect(accused.length).toBeLessThan(20);
    expect(found.length).toBeGreaterThan(180);
  });

  it('says the same of logits and of their softmax', () => {
    const { own, twins, copy } = world(1);
    const softened = ({ scores, classes }: Scores): Scores => ({
      classes,
      scores: scores.map((value, at) => {
        const row = scores.subarray(at - (at % classes), at - (at % classes) + classes);
        return Math.exp(value) / row.reduce((sum, each) => sum + Math.exp(each), 0);
      }),
    });
    const plain = kinship(copy, own, twins);
    expect(kinship(softened(copy), softened(own), twins).pValue).toBeCloseTo(plain.pValue, 4);
  });

  it('sees that the own model is none of the family', () => {
    const { own, twins, stranger } = world(2);
    expect(kinship(stranger, own, twins).familyPValue).toBeGreaterThan(0.05);
    const odd = { ...own, scores: own.scores.map((value, at) => value + 3 * (stranger.scores[at] ?? 0)) };
    expect(kinship(stranger, odd, twins).familyPValue).toBeLessThan(0.01);
  });

  it('asks for five twins at least', () => {
    const { own, twins, copy } = world(3);
    expect(() => kinship(copy, own, twins.slice(0, 4))).toThrow('at least 5');
  });
});

describe('the questions', () => {
  it('lie between two records, nearer to the first', () => {
    const { features, count } = mixtures({ features: Float32Array.of(0, 0, 8, 8), count: 2 }, 50, createRandom(1));
    expect(count).toBe(50);
    const shares = new Set(features);
    expect(Math.max(...shares)).toBeLessThanOrEqual(8);
    expect(shares.size).toBeGreaterThan(10);
    for (let row = 0; row < count; row++) expect(features[2 * row]).toBe(features[2 * row + 1]);
  });
});

describe("Student's distribution", () => {
  it('has the tails of the tables', () => {
    // Quantiles: NIST/SEMATECH e-Handbook, 1.3.6.7.2.
    for (const [t, freedom, tail] of [
      [6.314, 1, 0.05],
      [2.821, 9, 0.01],
      [4.297, 9, 0.001],
      [2.457, 30, 0.01],
    ] as const)
      expect(studentTail(t, freedom)).toBeCloseTo(tail, 4);
    expect(studentTail(-2.821, 9)).toBeCloseTo(0.99, 4);
    expect(studentTail(0, 5)).toBeCloseTo(0.5, 12);
    // Of one degree it is Cauchy's, which has a closed form far out.
    expect(studentTail(1e6, 1)).toBeCloseTo(1 / (Math.PI * 1e6), 12);
    expect(incompleteBeta(0.3, 2, 3)).toBeCloseTo(0.3483, 10);
  });

  it('judges no value by others that are all the same', () => {
    expect(predictionTail(3, [1, 1, 1])).toEqual({ t: 0, pValue: 1 });
    expect(predictionTail(3, [0, 1, 2]).pValue).toBeCloseTo(studentTail(2 / Math.sqrt(4 / 3), 2), 12);
  });
});
