import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cutForF1 } from '../../../forensics/labels/cut.ts';

const taints = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });
const expectedF1 = (taint: readonly number[], threshold: number) => {
  const flagged = taint.filter((value) => value >= threshold);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return (2 * sum(flagged)) / (flagged.length + sum(taint));
};

/** One reading, which is the taint itself. */
const alone = (taint: readonly number[]) => cutForF1(Float64Array.from(taint), [Float64Array.from(taint)]);

describe('the cut of highest expected F1', () => {
  it('is between what is surely wrong and what is surely right', () => {
    expect(alone([0, 1, 0, 1, 0])).toEqual({ threshold: 1, flagged: 2, expectedF1: 1 });
  });

  it('flags nothing where nothing is tainted', () => {
    expect(alone([0, 0, 0, 0, 0])).toEqual({ threshold: Number.POSITIVE_INFINITY, flagged: 0, expectedF1: 0 });
  });

  it('lies at half of the F1 it expects, as theory says, up to the gap between two records', () => {
    const taint = Float64Array.from({ length: 10_000 }, (_, at) => at / 10_000);
    const { threshold, expectedF1: promised } = cutForF1(taint, [taint]);
    expect(threshold).toBeCloseTo(promised / 2, 3);
  });

  it('is not beaten by any other threshold', () => {
    fc.assert(
      fc.property(taints, (taint) => {
        const { expectedF1: best } = alone(taint);
        for (const threshold of taint) expect(expectedF1(taint, threshold)).toBeLessThanOrEqual(best + 1e-9);
      }),
    );
  });

  it('flags exactly the records at or above its threshold, whatever their order', () => {
    fc.assert(
      fc.property(taints, (taint) => {
        const cut = alone(taint);
        expect(taint.filter((value) => value >= cut.threshold)).toHaveLength(cut.flagged);
        expect(alone([...taint].reverse())).toEqual(cut);
      }),
    );
  });

  it('stands between readings that differ: more is flagged than the one would have, less than the other', () => {
    const taint = Float64Array.from({ length: 1000 }, (_, at) => at / 1000);
    const cautious = taint.map((value) => value ** 8);
    const bold = taint.map((value) => value ** 0.5);
    const [least, both, most] = [[cautious], [cautious, bold], [bold]].map((of) => cutForF1(taint, of).flagged);
    expect(both).toBeGreaterThan(least ?? 0);
    expect(both).toBeLessThan(most ?? 0);
  });
});
