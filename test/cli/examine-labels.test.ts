import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { header, npy } from '../evidence/npy/write-npy.ts';
import { f1At, noisyArrays } from '../forensics/labels/noisy-arrays.ts';
import { lazaret } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-examine-labels-'));
const { p, labels, wrong } = noisyArrays({ records: 600, classes: 3, rate: 0.2, lead: 4, seed: 11 });

function file(name: string, bytes: Uint8Array): string {
  const at = join(folder, name);
  writeFileSync(at, bytes);
  return at;
}

const probabilities = file('p.npy', npy(header('<f4', [600, 3]), Float32Array.from(p.values)));
const given = file('y.npy', npy(header('<i8', [600]), BigInt64Array.from(labels, BigInt)));
const clean = Float32Array.from([1, 0, 0, 1]);
const examine = (pred: string, label: string, ...more: string[]) =>
  lazaret(['examine-labels', '--pred-probs', pred, '--labels', label, ...more]);

describe('examine-labels', () => {
  it('gives a taint per record and the cut, as JSON on the last line', async () => {
    const ran = await examine(probabilities, given, '--json');
    expect(ran.status).toBe(0);
    const found = ran.json() as {
      taint: number[];
      flagged: number[];
      likely: number[];
      cut: { threshold: number; flagged: number };
    };
    expect(found.taint).toHaveLength(600);
    expect(found.flagged).toEqual([...labels.keys()].filter((at) => (found.taint[at] ?? 0) >= found.cut.threshold));
    expect(found.cut.flagged).toBe(found.flagged.length);
    expect(found.likely).toHaveLength(found.flagged.length);
    expect(f1At(Float64Array.from(found.taint), found.cut.threshold, wrong)).toBeGreaterThan(0.9);
  });

  it('takes the same arrays in other types and orders', async () => {
    const columns = Float64Array.from(
      { length: 1800 },
      (_, at) => p.values[(at % 600) * 3 + Math.floor(at / 600)] ?? 0,
    );
    const ran = await examine(
      file('fortran.npy', npy(header('<f8', [600, 3], true), columns, [2, 0])),
      file('bytes.npy', npy(header('|u1', [600]), Uint8Array.from(labels))),
      '--json',
    );
    const other = await examine(probabilities, given, '--json');
    expect((ran.json()['cut'] as { flagged: number }).flagged).toBe(
      (other.json()['cut'] as { flagged: number }).flagged,
    );
  });

  it('shows people the most tainted records first', async () => {
    const ran = await examine(probabilities, given, '--top', '3');
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/600 records, 3 classes; about \d+\.\d % of the labels are wrong/);
    expect(ran.stdout).toMatch(/record\s+given\s+rather\s+taint/);
    expect(ran.stdout).toMatch(/and \d+ more/);
  });

  it('says that nothing is worth flagging where nothing is', async () => {
    const one = file('certain.npy', npy(header('<f4', [2, 2]), clean));
    const ran = await examine(one, file('right.npy', npy(header('<i4', [2]), Int32Array.from([0, 1]))), '--json');
    expect(ran.status).toBe(0);
  });

  it.each([
    ['NaN', npy(header('<f4', [2, 2]), Float32Array.from([NaN, 1, 0.5, 0.5])), [0, 1], /finite probabilities, got NaN/],
    ['logits', npy(header('<f4', [2, 2]), Float32Array.from([3, -1, 0.5, 0.5])), [0, 1], /from 0 to 1, got 3/],
    ['rows that do not sum to 1', npy(header('<f4', [2, 2]), Float32Array.from([0.3, 0.3, 1, 0])), [0, 1], /sum to 1/],
    ['a label out of range', npy(header('<f4', [2, 2]), clean), [0, 2], /labels from 0 to 1/],
    ['different lengths', npy(header('<f4', [2, 2]), clean), [0], /2 rows, 1 labels/],
    ['one dimension', npy(header('<f4', [4]), clean), [0, 1], /shape \(records, classes\)/],
    ['whole numbers as probabilities', npy(header('<i4', [2, 2]), Int32Array.of(1, 0, 0, 1)), [0, 1], /floating/],
    ['pickled objects', npy(header('|O', [2, 2]), clean), [0, 1], /runs code/],
  ])('refuses %s with status 2, and says what was expected', async (_, bytes, wanted, message) => {
    const labelled = file('l.npy', npy(header('<i4', [wanted.length]), Int32Array.from(wanted)));
    const ran = await examine(file('bad.npy', bytes), labelled, '--json');
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(message);
    expect(ran.json()['error']).toMatchObject({ message: expect.stringMatching(message) });
  });

  it('refuses labels that are floating, a file that is absent, and a folder', async () => {
    const floating = file('floating.npy', npy(header('<f4', [600]), Float32Array.from(labels)));
    expect((await examine(probabilities, floating)).stderr).toMatch(/labels as whole numbers/);
    const absent = await examine(probabilities, join(folder, 'nowhere.npy'));
    expect([absent.status, absent.stderr]).toEqual([2, expect.stringMatching(/there is no file/)]);
    const directory = await examine(folder, given);
    expect([directory.status, directory.stderr]).toEqual([2, expect.stringMatching(/plain file/)]);
  });

  it('explains itself', async () => {
    const ran = await lazaret(['examine-labels', '--help']);
    expect(ran.status).toBe(0);
    expect(ran.stdout).toMatch(/Examples:/);
    expect((await lazaret(['examine-labels'])).status).toBe(2);
  });
});
