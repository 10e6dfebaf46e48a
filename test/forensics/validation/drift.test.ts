import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { classMixShift, driftGate } from '../../../forensics/validation/drift.ts';

const CLASSES = ['a', 'b', 'c'];
const all = (n: number) => Array.from({ length: n }, (_, row) => row);

describe('the shift of a mix of classes', () => {
  it('is the share of answers that would have to move', () => {
    const answered = { golden: [0, 0, 0, 1], candidate: [0, 1, 1, 1] };
    expect(classMixShift(answered, all(4))).toBe(0.5);
    expect(classMixShift({ golden: [0, 1], candidate: [1, 0] }, all(2))).toBe(0);
  });

  it('lies between 0 and the share of records that are answered otherwise, and knows no direction', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { minLength: 1, maxLength: 50 }), (pairs) => {
        const answered = { golden: pairs.map(([one]) => one), candidate: pairs.map(([, other]) => other) };
        const turned = { golden: answered.candidate, candidate: answered.golden };
        const shift = classMixShift(answered, all(pairs.length));
        const differing = pairs.filter(([one, other]) => one !== other).length / pairs.length;
        return shift >= 0 && shift <= differing + 1e-12 && classMixShift(turned, all(pairs.length)) === shift;
      }),
    );
  });
});

describe('the gate of drift', () => {
  const golden = Array.from({ length: 300 }, (_, row) => row % 3);

  it('lets a model pass that answers every class as often as the golden one', () => {
    const gate = driftGate('drift-holdout', { golden, candidate: golden }, CLASSES, 0.05);
    expect(gate).toMatchObject({ verdict: 'pass', figure: { value: 0, low: 0, method: 'bootstrap' } });
    // None of 300 differs: the upper end is what a share of 0 of 300 may be.
    expect((gate.figure as { high: number }).high).toBeCloseTo(0.0126, 4);
    expect(gate.reason).toContain('as often as by the golden model');
  });

  it('stops a model that turns a third of one class into another, and names the class', () => {
    const candidate = golden.map((own, row) => (own === 0 && row % 9 === 0 ? 2 : own));
    const gate = driftGate('drift-holdout', { golden, candidate }, CLASSES, 0.05);
    expect(gate.verdict).toBe('fail');
    expect(gate.reason).toMatch(/Class [ac] moves most/);
  });

  it('stays undecided where the excess may be chance, and where nothing was answered', () => {
    const few = golden.slice(0, 60);
    const candidate = few.map((own, row) => (row < 12 && own === 0 ? 1 : own));
    expect(driftGate('drift-requests', { golden: few, candidate }, CLASSES, 0.05).verdict).toBe('inconclusive');
    expect(driftGate('drift-holdout', null, CLASSES, 0.05).verdict).toBe('inconclusive');
    expect(driftGate('drift-holdout', { golden: [], candidate: [] }, CLASSES, 0.05).verdict).toBe('inconclusive');
  });
});
