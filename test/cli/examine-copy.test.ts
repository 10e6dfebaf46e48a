import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { header, npy } from '../evidence/npy/write-npy.ts';
import { columnsOf } from '../forensics/vectors.ts';
import { lazaret } from './command.ts';

const model = (name: string) => fileURLToPath(new URL(`../vectors/forensics/family/${name}.onnx`, import.meta.url));
const twins = Array.from({ length: 6 }, (_, twin) => model(`twin-${twin}`));
const records = columnsOf('holdout');
const data = join(mkdtempSync(join(tmpdir(), 'lazaret-examine-copy-')), 'unseen.npy');
writeFileSync(data, npy(header('<f4', [records.count, 1, 8, 8]), records.features));

const examine = (suspect: string, family: readonly string[] = twins, own = model('own')) =>
  lazaret(['examine-copy', suspect, '--own', own, '--twins', ...family, '--data', data, '--json']);

describe('examine-copy', () => {
  it('finds a student of our answers, which shares no weight with our model', async () => {
    const ran = await examine(model('student'));
    expect(ran.status).toBe(1);
    expect(ran.json()).toMatchObject({ verdict: 'derived', alpha: 0.01, queries: 3000 });
  });

  it('accuses neither a stranger nor a twin that was left out', async () => {
    for (const [suspect, family] of [
      [model('stranger'), twins],
      [model('twin-0'), twins.slice(1)],
    ] as const) {
      const ran = await examine(suspect, family);
      expect(ran.status).toBe(0);
      expect(ran.json()).toMatchObject({ verdict: 'not-shown' });
    }
  });

  it('says nothing where the own model is none of the family', async () => {
    const elsewhere = fileURLToPath(new URL('../vectors/forensics/digits-suspect.onnx', import.meta.url));
    const ran = await examine(model('stranger'), twins, elsewhere);
    expect(ran.json()).toMatchObject({ verdict: 'inconclusive' });
  });

  it('refuses too few twins, and one model under two names', async () => {
    expect((await examine(model('student'), twins.slice(2))).status).toBe(2);
    const twice = await examine(model('student'), [...twins, model('own')]);
    expect(twice.status).toBe(2);
    expect(twice.stderr).toContain('are the same model');
  });
});
