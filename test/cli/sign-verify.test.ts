import { describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { createSigner, trustedKeyOf } from '../../evidence/keys/signer.ts';
import { trustFileOf } from '../../evidence/keys/trusted-keys.ts';
import type { KeyUse } from '../../domain/contracts/trust.ts';
import { lazaret } from './command.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazaret-sign-'));
const at = (name: string) => join(folder, name);

function key(name: string, uses: readonly KeyUse[], alg: 'ES256' | 'EdDSA' = 'ES256') {
  const { privatePem } = generateKey(alg);
  writeFileSync(at(`${name}.pem`), privatePem);
  return trustedKeyOf(createSigner({ name, privatePem }), uses);
}

const keys = [key('registry', ['model']), key('clerk', ['dataset'])];
key('stranger', ['model']);
key('person', ['vouch'], 'EdDSA');
writeFileSync(at('trust.json'), JSON.stringify(trustFileOf(keys)));
writeFileSync(at('model.onnx'), Buffer.from('the weights'));
mkdirSync(at('folder/parts'), { recursive: true });
writeFileSync(at('folder/model.onnx'), 'graph');
writeFileSync(at('folder/parts/weights.bin'), 'weights');

const sign = (model: string, name: string, out: string) =>
  lazaret(['sign', at(model), '--key', at(`${name}.pem`), '--out', at(out)]);
const verify = (model: string, signature: string, ...more: string[]) =>
  lazaret(['verify', at(model), at(signature), '--trust', at('trust.json'), '--json', ...more]);

describe('sign and verify', () => {
  it('agree on a file, and name who signed it', async () => {
    expect((await sign('model.onnx', 'registry', 'good.json')).status).toBe(0);
    const ran = await verify('model.onnx', 'good.json');
    expect(ran.status).toBe(0);
    expect(ran.json()).toMatchObject({ ok: true, keyName: 'registry', files: ['model.onnx'] });
  });

  it('find the signature beside the model, and ask for it where there is none', async () => {
    writeFileSync(at('alone.onnx'), 'weights');
    const alone = await lazaret(['verify', at('alone.onnx'), '--trust', at('trust.json')]);
    expect(alone.status).toBe(2);
    expect(alone.stderr).toContain('name its signature');
    expect((await lazaret(['sign', at('alone.onnx'), '--key', at('registry.pem')])).status).toBe(0);
    expect((await lazaret(['verify', at('alone.onnx'), '--trust', at('trust.json')])).status).toBe(0);
  });

  it('agree on a folder', async () => {
    expect((await sign('folder', 'registry', 'folder.json')).status).toBe(0);
    expect((await verify('folder', 'folder.json')).json()).toMatchObject({
      ok: true,
      files: expect.arrayContaining(['parts/weights.bin']),
    });
  });

  it('know a renamed file by the name it was signed under', async () => {
    writeFileSync(at('renamed.onnx'), readFileSync(at('model.onnx')));
    expect((await verify('renamed.onnx', 'good.json')).status).toBe(1);
    expect((await verify('renamed.onnx', 'good.json', '--name', 'model.onnx')).status).toBe(0);
  });

  it('refuse one flipped bit', async () => {
    const bytes = readFileSync(at('model.onnx'));
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
    mkdirSync(at('flipped'), { recursive: true });
    writeFileSync(at('flipped/model.onnx'), bytes);
    const ran = await verify('flipped/model.onnx', 'good.json');
    expect(ran.status).toBe(1);
    expect(ran.json()).toMatchObject({ ok: false, check: 'files-unchanged' });
  });

  it('refuse a file that was put beside the signed ones', async () => {
    writeFileSync(at('folder/extra.bin'), 'x');
    expect((await verify('folder', 'folder.json')).json()).toMatchObject({ ok: false, check: 'files-all-signed' });
  });

  it('refuse a key that nobody trusts, and a trusted key of another use', async () => {
    await sign('model.onnx', 'stranger', 'stranger.json');
    expect((await verify('model.onnx', 'stranger.json')).json()).toMatchObject({ check: 'trusted-key' });
    await sign('model.onnx', 'clerk', 'clerk.json');
    expect((await verify('model.onnx', 'clerk.json')).json()).toMatchObject({ check: 'key-use' });
  });

  it('do not follow links, whose target can change after the signature', async () => {
    mkdirSync(at('linked'), { recursive: true });
    symlinkSync(at('model.onnx'), at('linked/model.onnx'));
    const ran = await sign('linked', 'registry', 'linked.json');
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('is a link');
  });

  it('take no Ed25519 key for a model', async () => {
    expect((await sign('model.onnx', 'person', 'person.json')).status).toBe(2);
  });

  it('fail a file that is no bundle, with every promise named', async () => {
    writeFileSync(at('bundle.tar'), 'no bundle');
    const ran = await lazaret(['verify', at('bundle.tar'), '--trust', at('trust.json')]);
    expect(ran.status).toBe(1);
    expect(ran.stdout).toContain('promises are not kept');
  });
});
