import { afterAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { createSigner, trustedKeyOf } from '../../evidence/keys/signer.ts';
import type { ModelFile } from '../../evidence/model-signing/resources.ts';
import { signModel } from '../../evidence/model-signing/sign.ts';
import { verifyModel } from '../../evidence/model-signing/verify.ts';

/** A Python that has `model-signing`: LAZARET_MODEL_SIGNING_PYTHON, or the trainer's virtual environment. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const python = [
  process.env['LAZARET_MODEL_SIGNING_PYTHON'],
  join(ROOT, 'trainer/.venv/bin/python'),
  join(ROOT, '.venv/bin/python'),
].find((candidate) => candidate !== undefined && existsSync(candidate) && importable(candidate));
const ifPython = python ? it : it.skip;

function importable(candidate: string): boolean {
  try {
    execFileSync(candidate, ['-c', 'import model_signing._cli'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const place = mkdtempSync(join(tmpdir(), 'lazaret-oms-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
const at = (name: string) => join(place, name);

function modelSigning(...args: string[]): boolean {
  try {
    execFileSync(python ?? '', ['-m', 'model_signing', ...args], { cwd: place, stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

const { privatePem, publicPem } = generateKey('ES256');
const signer = createSigner({ name: 'station', privatePem });
const keys = [trustedKeyOf(signer, ['model'])];
const files: readonly ModelFile[] = [
  { name: 'model.onnx', bytes: Buffer.from('weights') },
  { name: 'sub/labels.txt', bytes: Buffer.from('zero\none\n') },
  { name: '\uffee.bin', bytes: Buffer.from('sorted by code point') },
  { name: '\u{1f600}.bin', bytes: Buffer.from('not by UTF-16 unit') },
];
for (const { name, bytes } of files) {
  mkdirSync(dirname(at(`model/${name}`)), { recursive: true });
  writeFileSync(at(`model/${name}`), bytes);
}
writeFileSync(at('private.pem'), privatePem, { mode: 0o600 });
writeFileSync(at('public.pem'), publicPem);

describe("interoperation with the Python package 'model-signing'", () => {
  ifPython(
    'it accepts our bundles, and refuses them once the model is changed',
    () => {
      const verify = ['verify', 'key', 'model', '--signature', 'ours.sig', '--public_key', 'public.pem'];
      writeFileSync(at('ours.sig'), signModel(files, signer));
      expect(modelSigning(...verify)).toBe(true);
      writeFileSync(at('model/model.onnx'), 'other weights');
      expect(modelSigning(...verify)).toBe(false);
      writeFileSync(at('model/model.onnx'), 'weights');
    },
    60_000,
  );

  ifPython(
    'we accept its bundles',
    () => {
      expect(modelSigning('sign', 'key', 'model', '--signature', 'theirs.sig', '--private_key', 'private.pem')).toBe(
        true,
      );
      expect(verifyModel(readFileSync(at('theirs.sig')), files, keys, 'model').keyName).toBe('station');
    },
    60_000,
  );

  ifPython(
    'we accept its bundles over a single file',
    () => {
      expect(
        modelSigning('sign', 'key', 'model/model.onnx', '--signature', 'one.sig', '--private_key', 'private.pem'),
      ).toBe(true);
      expect(verifyModel(readFileSync(at('one.sig')), files.slice(0, 1), keys, 'model').keyName).toBe('station');
    },
    60_000,
  );
});
