import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { residentBytes } from '../../../forensics/predictor/memory.ts';
import { driftGate } from '../../../forensics/validation/drift.ts';
import { memoryFigure } from '../../../forensics/validation/memory.ts';
import { fireDriftControl } from '../../../forensics/validation/planted-drift.ts';
import { columnsOf, modelBytes } from '../vectors.ts';

const CLASSES = ['a', 'b', 'c'];
const golden = Array.from({ length: 300 }, (_, row) => (row % 10 === 0 ? 2 : row % 2));

describe('the control of the drift gate', () => {
  it('plants twice the threshold into a copy of the answers and sees it stopped', () => {
    const before = [...golden];
    const fired = fireDriftControl(golden, CLASSES, 0.05);
    expect(fired).toMatchObject({ gate: { id: 'control:drift', verdict: 'pass', figure: 0.1 } });
    if (!('gate' in fired)) throw new Error('it was not fired');
    expect(fired.gate.reason).toContain('30 of 300 answers of a copy were made c: the drift gate says "fail"');
    expect(fired.gate.reason).toContain('at no monitor of an endpoint');
    expect(golden).toEqual(before);
  });

  it('fails where the gate lets the planted drift pass, and where it stops what has not drifted', () => {
    const always =
      (verdict: 'pass' | 'fail'): typeof driftGate =>
      (...asked) => ({ ...driftGate(...asked), verdict });
    for (const verdict of ['pass', 'fail'] as const)
      expect(fireDriftControl(golden, CLASSES, 0.05, always(verdict))).toMatchObject({ gate: { verdict: 'fail' } });
  });

  it('is stopped for any mix of answers and any threshold that leaves room for a drift', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2), { minLength: 40, maxLength: 300 }),
        fc.double({ min: 0.01, max: 0.2, noNaN: true }),
        (answers, limit) => {
          const fired = fireDriftControl(answers, CLASSES, limit);
          if ('gate' in fired) expect(fired.gate.verdict).toBe('pass');
        },
      ),
      { numRuns: 20, seed: 1 },
    );
  });

  it('is not fired where so large a drift cannot be planted, or without answers, and says so', () => {
    expect(fireDriftControl(golden, CLASSES, 0.6)).toMatchObject({ figure: { figure: null } });
    expect(fireDriftControl(null, CLASSES, 0.05)).toMatchObject({ figure: { figure: null } });
  });
});

describe('the memory that a model takes', () => {
  const { features } = columnsOf('holdout');

  it('is what a process of its own grows by, and is no figure where the process fails', async () => {
    const grown = await residentBytes(modelBytes('digits-golden'), features.slice(0, 64), [1, 8, 8]);
    expect(grown).toBeGreaterThan(1024 ** 2);
    expect(await residentBytes(new Uint8Array([1, 2, 3]), features.slice(0, 64), [1, 8, 8])).toBeNull();
  });

  it('is told beside the golden one', () => {
    expect(memoryFigure({ candidate: 60 * 1024 ** 2, golden: 50 * 1024 ** 2 })).toMatchObject({
      id: 'memory',
      figure: 1.2,
      golden: 1,
      words: expect.stringContaining('60.0 MiB'),
    });
    expect(memoryFigure({ candidate: null, golden: 1 }).figure).toBeNull();
  });
});
