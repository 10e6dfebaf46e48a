import { describe, expect, it } from '@jest/globals';
import { checkLabelArrays, LabelArraysRefused } from '../../../forensics/labels/arrays.ts';

const good = [0.5, 0.5, 0.1, 0.9];
const check = (values: number[], labels: number[], classes = 2) =>
  checkLabelArrays(
    { values: Float64Array.from(values), records: Math.floor(values.length / classes), classes },
    Int32Array.from(labels),
  );

describe('label arrays', () => {
  it('are taken where every row is a distribution and every label a column', () => {
    expect(() => check(good, [0, 1])).not.toThrow();
  });

  it.each([
    ['too-few-classes', [1, 1], [0, 0], 1, /at least 2 columns/],
    ['no-records', [], [], 2, /at least 1 row/],
    ['different-lengths', good, [0], 2, /2 rows, 1 labels/],
    ['not-finite', [0.5, 0.5, Number.NaN, 1], [0, 1], 2, /NaN in row 1, column 0/],
    ['not-finite', [0.5, 0.5, Number.POSITIVE_INFINITY, 1], [0, 1], 2, /Infinity in row 1/],
    ['outside-range', [0.5, 0.5, -0.5, 1.5], [0, 1], 2, /from 0 to 1, got -0.5 in row 1/],
    ['outside-range', [4.2, -3.2, 0.5, 0.5], [0, 1], 2, /from 0 to 1, got 4.2 in row 0/],
    ['row-sum', [0.5, 0.5, 0.2, 0.2], [0, 1], 2, /row 1 sums to 0.4/],
    ['row-sum', [0, 0, 0.5, 0.5], [0, 1], 2, /row 0 sums to 0/],
    ['label-range', good, [0, 2], 2, /from 0 to 1 .*got 2 for record 1/],
    ['label-range', good, [-1, 0], 2, /got -1 for record 0/],
  ])('are refused as %s, with the place', (fault, values, labels, classes, message) => {
    try {
      check(values, labels, classes);
    } catch (error) {
      expect(error).toBeInstanceOf(LabelArraysRefused);
      expect((error as LabelArraysRefused).fault).toBe(fault);
      expect((error as LabelArraysRefused).message).toMatch(message);
      return;
    }
    throw new Error('it was taken');
  });
});
