import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { scanStructure } from '../../../forensics/structure/scan.ts';

const PYTHON = fileURLToPath(new URL('../../../trainer/.venv/bin/python', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./corpus/benign.py', import.meta.url));

function modelsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.onnx'))
    .map((name) => join(folder, name));
}

/** Alarms by file; empty where nothing was flagged. */
function flagged(files: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(
    files.flatMap((file) => {
      const { findings } = scanStructure(new Uint8Array(readFileSync(file)));
      const alarms = findings.filter((finding) => finding.level === 'alarm');
      return alarms.length > 0 ? [[file, alarms.map((finding) => `${finding.rule}: ${finding.words}`)]] : [];
    }),
  );
}

const present = existsSync(PYTHON);
(present ? describe : describe.skip)('honest models (needs trainer/.venv, whose `onnx` package makes them)', () => {
  let folder = '';
  let shipped = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lazaret-benign-'));
    execFileSync(PYTHON, ['-W', 'ignore', PROGRAM, folder, '--node-tests'], { timeout: 120_000, stdio: 'pipe' });
    const where = 'import onnx, pathlib; print(pathlib.Path(onnx.__file__).parent / "backend/test/data")';
    shipped = execFileSync(PYTHON, ['-c', where], { encoding: 'utf8' }).trim();
  }, 180_000);
  afterAll(() => {
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  it('none of at least 100 models of real shape is flagged', () => {
    const files = modelsIn(folder).filter((file) => !file.includes('node-tests'));
    expect(files.length).toBeGreaterThanOrEqual(100);
    expect(flagged(files)).toEqual({});
  });

  it('none of the model files that the onnx package ships is flagged', () => {
    const files = modelsIn(shipped);
    expect(files.length).toBeGreaterThanOrEqual(140);
    expect(flagged(files)).toEqual({});
  });

  it('none of the more than 1000 models of its operator tests is flagged', () => {
    const files = modelsIn(join(folder, 'node-tests'));
    expect(files.length).toBeGreaterThan(1000);
    expect(flagged(files)).toEqual({});
  });
});
