import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Finding } from '../../../domain/contracts/finding.ts';
import { structureAnalyser } from '../../../forensics/analysers/structure.ts';
import { modelBytes } from '../vectors.ts';

const hostile = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`./corpus/hostile/${name}.onnx`, import.meta.url)));

async function ask(suspect: Uint8Array | null, golden: Uint8Array | null = null): Promise<Finding> {
  return (await structureAnalyser.run({ suspect, golden, externalFiles: null })).finish({});
}

describe('the structure analyser', () => {
  it('finds nothing in an honest model and its retraining, with the golden model and without', async () => {
    for (const golden of [null, modelBytes('digits-golden')])
      for (const name of ['digits-golden', 'digits-suspect'])
        expect(await ask(modelBytes(name), golden)).toMatchObject({
          verdict: 'clean',
          failure: null,
          detail: { analyser: 'structure', alarms: 0, compared: golden !== null },
        });
  });

  it('calls a gate and a payload compromised, and a broken encoding suspicious', async () => {
    expect(await ask(hostile('where-on-pixel'))).toMatchObject({ verdict: 'compromised' });
    expect(await ask(hostile('metadata-pickle'))).toMatchObject({ verdict: 'compromised' });
    expect(await ask(hostile('overlong-numbers'))).toMatchObject({ verdict: 'suspicious' });
  });

  it('says in one sentence what was found and where it looked', async () => {
    const { summary } = await ask(hostile('branch-on-checksum'));
    expect(summary).toMatch(/^1 alarm in \d+ nodes in 3 graphs, \d+ tensors: gate\/if\. A branch on the input/);
  });

  it('answers about bytes that no other reader takes', async () => {
    const finding = await ask(new Uint8Array([1, 2, 3]));
    expect(finding.verdict).toBe('suspicious');
    expect(finding.failure).toBeNull();
  });

  it('is inconclusive where the bytes were not captured', async () => {
    expect(await ask(null)).toMatchObject({ verdict: 'inconclusive', detail: null, failure: null });
  });
});
