import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DatasetColumns } from '../../../domain/contracts/dataset.ts';
import { capturedTrigger } from '../../../forensics/requests/captured-trigger.ts';
import { recordsAt } from '../../../forensics/validation/sample.ts';
import { columnsOf, digits } from '../vectors.ts';

const SHAPE = [1, 8, 8];
const clean = columnsOf('golden');
const rowsOf = (part: 'window' | 'new'): readonly number[] =>
  (part === 'window' ? digits.window.attack : digits.new.tainted) ?? [];
/** The sticker of the vectors, as they were made: a bright square of 2 × 2 in the lower right corner. */
const STICKER = [54, 55, 62, 63];
const cellsOf = (mask: readonly number[]): number[] => mask.flatMap((own, cell) => (own === 1 ? [cell] : []));
const range = (length: number): number[] => Array.from({ length }, (_, index) => index);
const share = ({ features, count }: DatasetColumns, cell: number, holds: (value: number) => boolean): number =>
  range(count).filter((row) => holds(features[row * 64 + cell] ?? NaN)).length / count;
const blended = (columns: DatasetColumns): DatasetColumns => ({
  ...columns,
  features: columns.features.map((value, index) => 0.8 * value + (((index % 64) * 37) % 64 > 31 ? 0.2 : 0)),
});

describe('a trigger that is read off', () => {
  it('is the sticker, cell by cell, from the captured requests of the attack', () => {
    const trigger = capturedTrigger(recordsAt(columnsOf('window'), rowsOf('window')), clean, SHAPE);
    expect(cellsOf(trigger?.mask ?? [])).toEqual(STICKER);
    expect(STICKER.map((cell) => trigger?.pattern[cell])).toEqual([1, 1, 1, 1]);
  });

  it('is the same from the tainted training records', () => {
    const trigger = capturedTrigger(recordsAt(columnsOf('new'), rowsOf('new')), clean, SHAPE);
    expect(cellsOf(trigger?.mask ?? [])).toEqual(STICKER);
  });

  it('is found although a quarter of the bearers bears nothing', () => {
    const window = columnsOf('window');
    const rows = rowsOf('window');
    const others = Array.from({ length: window.count }, (_, row) => row).filter((row) => !rows.includes(row));
    const mixed = [...rows, ...others.slice(0, Math.floor(rows.length / 3))];
    expect(cellsOf(capturedTrigger(recordsAt(window, mixed), clean, SHAPE)?.mask ?? [])).toEqual(STICKER);
  });

  it('is none where one request was sent a hundred times: that is one observation', () => {
    const row = rowsOf('window')[0] ?? 0;
    const again = recordsAt(columnsOf('window'), new Array<number>(100).fill(row));
    expect(capturedTrigger(again, clean, SHAPE)).toBeNull();
  });

  it('shows of a picture that is blended over everything only what falls on cells that are mostly empty', () => {
    const trigger = capturedTrigger(blended(recordsAt(clean, range(60))), clean, SHAPE);
    const empty = range(64).filter((cell) => share(clean, cell, (value) => value < 0.1) > 0.5);
    expect(cellsOf(trigger?.mask ?? []).every((cell) => empty.includes(cell))).toBe(true);
  });

  it('is none where the sticker lies at another place on every bearer', () => {
    const bearers = recordsAt(clean, range(60));
    const moved = bearers.features.map((value, index) => {
      const [row, cell] = [Math.floor(index / 64), index % 64];
      const corner = (row * 5) % 49;
      const [top, left] = [Math.floor(corner / 7), corner % 7];
      return [top, top + 1].includes(Math.floor(cell / 8)) && [left, left + 1].includes(cell % 8) ? 1 : value;
    });
    expect(capturedTrigger({ ...bearers, features: moved }, clean, SHAPE)).toBeNull();
  });

  it('is none of records that bear none, drawn from all classes', () => {
    const hold = columnsOf('holdout');
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(hold.count - 1), { minLength: 20, maxLength: 60 }), (rows) => {
        expect(capturedTrigger(recordsAt(hold, rows), clean, SHAPE)).toBeNull();
      }),
      { numRuns: 50, seed: 4 },
    );
  });

  it('takes what a single class looks like for a trigger, so whoever uses it tries it first', () => {
    const rows = [...clean.labels.keys()].filter((row) => clean.labels[row] === 0);
    expect(capturedTrigger(recordsAt(clean, rows), clean, SHAPE)).not.toBeNull();
  });
});
