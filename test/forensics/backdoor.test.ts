import { describe, expect, it } from '@jest/globals';
import type { ExamineResult, TriggerImage } from '../../domain/contracts/examination.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { backdoorAnalyser } from '../../forensics/analysers/backdoor.ts';
import { previewOf } from '../../forensics/backdoor/trigger-preview.ts';

const ref = (name: string): ObjectRef => ({
  store: 'evidence',
  digest: digestOf(name),
  bytes: 1,
  mediaType: 'application/json',
  name,
});
const share = (value: number, low: number, high: number) => ({ value, low, high, n: 200 });
const NOW = '2026-01-01T00:00:00.000Z';

function answered(about: Partial<ExamineResult>): ExamineResult {
  return {
    schema: 'lazaret.examine-result/v1',
    jobId: 'digits-1-backdoor',
    verdict: 'clean',
    summary: 'Every class takes a change as large as honest models ask for.',
    methods: ['difference-inversion'],
    target: null,
    success: null,
    flip: null,
    pValue: 0.6,
    falseAlarmBudget: 0.05,
    trigger: null,
    report: ref('examination.json'),
    startedAt: NOW,
    finishedAt: NOW,
    ...about,
  };
}

const trigger: TriggerImage = {
  schema: 'lazaret.trigger/v1',
  shape: [1, 2, 2],
  mask: [0, 0, 0, 1],
  pattern: [0, 0, 0, 16],
};
const classes = ['zero', 'one', 'two'];
const ask = async (about: Partial<ExamineResult>, image: TriggerImage | null = null) =>
  (await backdoorAnalyser.run({ examined: { result: answered(about), trigger: image }, reason: '', classes })).finish(
    {},
  );

describe('the backdoor analyser', () => {
  it('is inconclusive where no trainer answered, with the reason', async () => {
    const run = await backdoorAnalyser.run({ examined: null, reason: 'No trainer answered.', classes });
    expect(run.finish({})).toMatchObject({ verdict: 'inconclusive', summary: 'No trainer answered.', detail: null });
  });

  it('names the class that the recovered trigger leads to, with its measured success', async () => {
    const finding = await ask(
      { verdict: 'compromised', target: 2, success: share(0.98, 0.95, 0.99), trigger: ref('trigger.json') },
      trigger,
    );
    expect(finding.verdict).toBe('compromised');
    expect(finding.summary).toContain('leads 98.0 % of unseen probes [95.0 %, 99.0 %] to two');
    expect(finding.detail).toMatchObject({
      target: 2,
      trigger: { name: 'trigger.json' },
      preview: { width: 2, height: 2 },
    });
  });

  it('tells a weak trigger with its rate, and calls it suspicious only', async () => {
    const finding = await ask({ verdict: 'suspicious', target: 1, success: share(0.5, 0.43, 0.57) });
    expect(finding).toMatchObject({ verdict: 'suspicious' });
    expect(finding.summary).toContain('50.0 %');
  });

  it('says clean where honest models yield to a change of the same size', async () => {
    expect(await ask({ target: 1, success: share(0.95, 0.9, 0.98) })).toMatchObject({ verdict: 'clean' });
    expect(await ask({})).toMatchObject({ verdict: 'clean' });
  });

  it('names the pair of classes whose labels were flipped', async () => {
    const finding = await ask({ verdict: 'compromised', flip: { source: 0, target: 1, shift: 0.18 } });
    expect(finding.verdict).toBe('compromised');
    expect(finding.summary).toContain('Records of zero are answered as one');
  });

  it('does not call a model compromised without a target or a flip to show for it', async () => {
    expect(await ask({ verdict: 'compromised' })).toMatchObject({ verdict: 'suspicious' });
  });
});

describe('the preview of a trigger', () => {
  it('has one byte for each cell of mask and pattern', () => {
    const preview = previewOf(trigger);
    expect(preview).toMatchObject({ width: 2, height: 2 });
    expect([...Buffer.from(preview?.mask ?? '', 'base64')]).toEqual([0, 0, 0, 255]);
    expect([...Buffer.from(preview?.pattern ?? '', 'base64')]).toEqual([0, 0, 0, 255]);
  });

  it('averages channels, and cells of large pictures', () => {
    const large: TriggerImage = {
      schema: 'lazaret.trigger/v1',
      shape: [3, 64, 64],
      mask: Array.from({ length: 64 * 64 }, (_, cell) => (cell === 0 ? 1 : 0)),
      pattern: Array.from({ length: 3 * 64 * 64 }, () => 1),
    };
    const preview = previewOf(large);
    expect(preview).toMatchObject({ width: 32, height: 32 });
    expect(Buffer.from(preview?.mask ?? '', 'base64')[0]).toBe(64);
    // A sticker of one colour keeps it.
    expect(Buffer.from(preview?.pattern ?? '', 'base64')[0]).toBe(255);
  });

  it('draws a record that is no picture as one row', () => {
    const row: TriggerImage = {
      schema: 'lazaret.trigger/v1',
      shape: [5],
      mask: [0, 1, 0, 0, 0],
      pattern: [1, 2, 3, 4, 5],
    };
    expect(previewOf(row)).toMatchObject({ width: 5, height: 1 });
  });

  it('is nothing where the numbers do not have the shape they claim', () => {
    expect(previewOf({ ...trigger, pattern: [1] })).toBeNull();
    expect(previewOf({ ...trigger, mask: [] })).toBeNull();
    expect(previewOf({ ...trigger, mask: [1, 1, 1] })).toBeNull();
  });
});
