import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { columnsOf, digits, modelBytes } from '../forensics/vectors.ts';
import { lazaret } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-examine-'));
const at = (name: string) => join(folder, name);

/** A `.npy` file of version 1.0, little-endian. */
function npy(values: Float32Array, shape: readonly number[]): Uint8Array {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = `${dictionary.padEnd(118 - 1)}\n`;
  return Buffer.concat([
    Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0]),
    Buffer.from(header),
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  ]);
}

beforeAll(() => {
  writeFileSync(at('suspect.onnx'), modelBytes('digits-suspect'));
  writeFileSync(at('golden.onnx'), modelBytes('digits-golden'));
  const holdout = columnsOf('holdout');
  writeFileSync(at('clean.npy'), npy(holdout.features, [holdout.count, ...digits.shape]));
  const window = columnsOf('window');
  writeFileSync(at('requests.npy'), npy(window.features, [window.count, ...digits.shape]));
});

const examine = (...more: string[]) => lazaret(['examine', at('suspect.onnx'), '--json', ...more]);
const toldSchema = z.object({
  findings: z.array(z.looseObject({ analyser: z.string(), verdict: z.string() })),
});
type Told = z.infer<typeof toldSchema>;
const verdictOf = (told: Told, analyser: string) => told.findings.find((one) => one.analyser === analyser)?.verdict;

describe('examine', () => {
  it('finds the attack in what clients sent, and ends with status 1', async () => {
    const ran = await examine(
      '--golden',
      at('golden.onnx'),
      '--data',
      at('clean.npy'),
      '--requests',
      at('requests.npy'),
    );
    const told = toldSchema.parse(ran.json());
    expect(ran.status).toBe(1);
    expect(verdictOf(told, 'graph')).toBe('clean');
    expect(verdictOf(told, 'structure')).toBe('clean');
    const behaviour = told.findings.find(({ analyser }) => analyser === 'behaviour');
    expect(behaviour).toMatchObject({ verdict: 'compromised', detail: { attack: { targetClass: digits.target } } });
  });

  it('says nothing against the golden model itself, with status 0', async () => {
    const ran = await lazaret([
      'examine',
      at('golden.onnx'),
      '--golden',
      at('golden.onnx'),
      '--only',
      'graph,weights',
      '--json',
    ]);
    expect(ran.status).toBe(0);
    const told = toldSchema.parse(ran.json());
    expect(told.findings.map(({ verdict }) => verdict)).toEqual(['clean', 'clean']);
  });

  it('says what a look inside the model misses', async () => {
    const ran = await examine('--golden', at('golden.onnx'), '--data', at('clean.npy'), '--only', 'activations');
    expect(ran.json()).toMatchObject({
      findings: [{ analyser: 'activations', verdict: 'inconclusive', summary: expect.stringContaining('--requests') }],
    });
  });

  it('says what it misses where there is no golden model', async () => {
    const ran = await examine('--only', 'weights');
    expect(ran.json()).toMatchObject({ findings: [{ verdict: 'inconclusive' }] });
  });

  it('takes a suspect that is no model for a finding, not for a crash', async () => {
    writeFileSync(at('broken.onnx'), 'no model');
    const ran = await lazaret([
      'examine',
      at('broken.onnx'),
      '--golden',
      at('golden.onnx'),
      '--only',
      'graph',
      '--json',
    ]);
    expect(ran.json()).toMatchObject({ findings: [{ verdict: 'inconclusive', failure: { code: 'model/invalid' } }] });
  });

  it('takes training records and their labels together, or not at all', async () => {
    const ran = await examine('--records', at('nowhere.npy'));
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('belong together');
    const open = await examine('--only', 'poison,duplicates,requests,extraction');
    expect(open.status).toBe(0);
    expect(toldSchema.parse(open.json()).findings.map(({ verdict }) => verdict)).toEqual(
      new Array(4).fill('inconclusive'),
    );
  });

  it('refuses wrong files and names with a sentence', async () => {
    expect((await examine('--golden', at('nowhere.onnx'))).stderr).toContain('there is no model');
    expect((await examine('--only', 'tea-leaves')).status).toBe(2);
    writeFileSync(at('wrong.npy'), 'no array');
    const ran = await examine('--data', at('wrong.npy'));
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('wrong.npy');
  });
});
