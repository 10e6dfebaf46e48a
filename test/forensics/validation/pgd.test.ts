import { describe, expect, it } from '@jest/globals';
import { robustnessSchema } from '../../../domain/contracts/gates.ts';
import type { ExamineResult } from '../../../domain/contracts/examination.ts';
import type { RobustnessResult } from '../../../domain/contracts/robustness.ts';
import { backdoorScanGate } from '../../../forensics/validation/backdoor-scan.ts';
import { pgdGate, type UnderSquare } from '../../../forensics/validation/pgd.ts';
import { termsOf } from '../../../forensics/validation/terms.ts';
import { wilson } from '../../../forensics/statistics/interval.ts';

type Attack = RobustnessResult['attacks'][number];

const BUDGET = robustnessSchema.parse({});
const RUN = { restarts: 4, steps: 20 };
/** `standing` of 200 records still get the right answer; the first ones. */
const word = (standing: number): string => '1'.repeat(standing) + '0'.repeat(200 - standing);
const attacked = (candidate: number, golden: number, about: Partial<Attack> = {}): Attack => ({
  norm: 'linf',
  radius: 0.1,
  candidate: word(candidate),
  golden: word(golden),
  crossEntropy: word(candidate),
  margin: word(candidate),
  ...about,
});
const square = (candidate: number, golden: number): UnderSquare => ({
  candidate: wilson(candidate, 200),
  golden: wilson(golden, 200),
});
const gate = (attack: Attack, under: UnderSquare | null = square(150, 150)) => pgdGate(attack, RUN, BUDGET, under, 10);

describe('the gate of attacks that know the gradient', () => {
  it('passes a candidate that withstands as much as the golden model, and fails one that does not', () => {
    expect(gate(attacked(100, 104)).verdict).toBe('pass');
    const weak = gate(attacked(60, 120));
    expect(weak).toMatchObject({
      id: 'robustness:pgd-linf',
      verdict: 'fail',
      figure: { value: 0.3 },
      golden: { value: 0.6 },
    });
    expect(weak.reason).toContain('the drop is 30.0 percentage points');
  });

  it('says by which loss a record falls', () => {
    const { reason } = gate(attacked(80, 80, { crossEntropy: word(160), margin: word(80) }));
    expect(reason).toContain('Cross-entropy alone leaves 80.0 %, the margin 40.0 %.');
  });

  it('notices a gradient that leads nowhere: Square, which needs none, leaves less standing', () => {
    const masked = gate(attacked(150, 110), square(90, 120));
    expect(masked.verdict).toBe('inconclusive');
    expect(masked.reason).toContain('The gradient is masked');
    expect(masked.reason).toContain('45.0 % of the candidate instead of 75.0 %');
  });

  it('leaves the verdict where the golden model masks its gradient as well, and says so', () => {
    const both = gate(attacked(150, 150), square(90, 95));
    expect(both.verdict).toBe('pass');
    expect(both.reason).toContain('of the golden model instead of');
  });

  it('does not take two records for a mask', () => {
    expect(gate(attacked(10, 12), square(8, 12)).reason).not.toContain('masked');
  });

  it('cannot compare Square, which knows one cube, with a ball', () => {
    expect(gate(attacked(150, 150, { norm: 'l2' }), square(90, 95)).reason).not.toContain('masked');
  });

  it('is undecided where the trainer answered for other records', () => {
    expect(gate(attacked(100, 100, { candidate: '101' })).verdict).toBe('inconclusive');
  });

  it('has its terms', () => {
    expect(termsOf('robustness:pgd-l2').length).toBeGreaterThan(0);
    expect(termsOf('backdoor-scan').length).toBeGreaterThan(0);
  });
});

describe('the gate of the search for a backdoor in the candidate', () => {
  const found = (verdict: ExamineResult['verdict']): ExamineResult => ({
    schema: 'lazaret.examine-result/v1',
    jobId: 'scan',
    verdict,
    summary: `it is ${verdict}`,
    methods: [],
    target: null,
    success: null,
    flip: null,
    pValue: null,
    falseAlarmBudget: 0.05,
    trigger: null,
    report: { store: 'artifacts', digest: `sha256:${'0'.repeat(64)}` as never, bytes: 1, mediaType: 'x', name: 'x' },
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:00Z',
  });

  it('passes what is clean and stops what alarms, however little', () => {
    expect(backdoorScanGate(found('clean'))).toMatchObject({ verdict: 'pass', reason: 'it is clean' });
    expect(backdoorScanGate(found('suspicious'))?.verdict).toBe('fail');
    expect(backdoorScanGate(found('compromised'))?.verdict).toBe('fail');
  });

  it('is no gate where the search could not decide', () => {
    expect(backdoorScanGate(found('inconclusive'))).toBeNull();
  });
});
