import { beforeEach, describe, expect, it } from '@jest/globals';
import type { GoldenRecord } from '../../domain/contracts/golden.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { createGoldenRegistry, type GoldenRegistry } from '../../evidence/golden/registry.ts';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { createSigner, signCompactJws, trustedKeyOf } from '../../evidence/keys/signer.ts';
import { DOCUMENTS } from '../../evidence/ports.ts';
import { createFakeStore, type FakeStore } from '../fakes/store.ts';

const keyOf = (name: string) => createSigner({ name, privatePem: generateKey('ES256').privatePem });
const registryKey = keyOf('registry');
const pipelineKey = keyOf('pipeline');
const strangerKey = keyOf('stranger');
const KEYS = [trustedKeyOf(registryKey, ['golden', 'model']), trustedKeyOf(pipelineKey, ['model', 'dataset'])];
const AT = new Date('2026-03-01T12:00:00Z');

const object = (name: string): ObjectRef => ({
  store: 'artifacts',
  digest: digestOf(name),
  bytes: name.length,
  mediaType: 'application/octet-stream',
  name,
});

function recordOf(version: string, about: Partial<GoldenRecord> = {}): GoldenRecord {
  const dataset = { name: 'digits', manifest: object('manifest'), signature: object('manifest.sig') };
  return {
    schema: 'lazaret.golden/v1',
    model: 'digits',
    ref: { version, artifact: object(`${version}.onnx`), signature: object(`${version}.sig`) },
    provenance: null,
    dataset,
    holdout: dataset,
    hyperparameters: { epochs: 1, batchSize: 8, learningRate: 0.001, seed: 1 },
    evaluation: {
      dataset: digestOf('holdout'),
      accuracy: { value: 0.98, low: 0.96, high: 0.99, confidence: 0.95, n: 300, method: 'wilson' },
      perClass: [],
      ece: 0.01,
      meanConfidence: 0.97,
    },
    profile: object('profile'),
    parent: null,
    regressions: [],
    registeredAt: AT.toISOString(),
    registeredBy: 'test',
    ...about,
  };
}

let store: FakeStore;
let registry: GoldenRegistry;
beforeEach(() => {
  store = createFakeStore();
  registry = createGoldenRegistry(store, KEYS);
});

const bytesAt = (key: string): Uint8Array => {
  const bytes = store.buckets.artifacts.get(key);
  if (!bytes) throw new Error(`nothing at ${key}`);
  return bytes;
};
const untrusted = (message: RegExp) =>
  expect.objectContaining({ code: 'golden/untrusted', message: expect.stringMatching(message) });

describe('the golden registry', () => {
  it('has nothing before anything is registered', async () => {
    expect(await registry.latest('digits')).toBeNull();
    expect(await registry.record('digits', 'v1')).toBeNull();
    expect(await registry.versions('digits')).toEqual([]);
  });

  it('gives back what was written, and makes it the latest only when it is promoted', async () => {
    await registry.write(recordOf('v1'), registryKey);
    expect(await registry.record('digits', 'v1')).toEqual(recordOf('v1'));
    expect(await registry.latest('digits')).toBeNull();
    await registry.promote('digits', 'v1', AT, registryKey);
    expect(await registry.latest('digits')).toEqual(recordOf('v1'));
  });

  it('lists the versions of one model, and of no model whose name begins alike', async () => {
    await registry.write(recordOf('v1'), registryKey);
    await registry.write(recordOf('v2'), registryKey);
    await registry.write(recordOf('v9', { model: 'digits-large' }), registryKey);
    await registry.promote('digits', 'v2', AT, registryKey);
    expect(await registry.versions('digits')).toEqual(['v1', 'v2']);
  });

  it('writes a record once: the same again gives the evidence it already has, although signatures are random', async () => {
    const first = await registry.write(recordOf('v1'), registryKey);
    const again = await registry.write(recordOf('v1', { registeredBy: 'somebody else' }), registryKey);
    expect(again).toEqual(first);
    expect(first.store).toBe('evidence');
    expect(await registry.record('digits', 'v1')).toMatchObject({ registeredBy: 'test' });
  });

  it('refuses to write another artifact under a version that is registered', async () => {
    await registry.write(recordOf('v1'), registryKey);
    const other = recordOf('v1', { ref: { ...recordOf('v1').ref, artifact: object('other.onnx') } });
    await expect(registry.write(other, registryKey)).rejects.toEqual(untrusted(/another artifact/));
    expect(await registry.record('digits', 'v1')).toEqual(recordOf('v1'));
  });

  it('does not promote a version that is not registered', async () => {
    await expect(registry.promote('digits', 'v1', AT, registryKey)).rejects.toMatchObject({ code: 'golden/missing' });
  });
});

describe('whoever can write to the bucket', () => {
  beforeEach(async () => {
    await registry.write(recordOf('v1'), registryKey);
    await registry.write(recordOf('v2'), registryKey);
    await registry.promote('digits', 'v2', AT, registryKey);
  });

  it('cannot pass a record off as another version', async () => {
    store.overwrite(DOCUMENTS.golden('digits', 'v2'), bytesAt(DOCUMENTS.golden('digits', 'v1')));
    await expect(registry.record('digits', 'v2')).rejects.toEqual(untrusted(/not the golden record of digits v2/));
    await expect(registry.latest('digits')).rejects.toEqual(untrusted(/v2/));
  });

  it('cannot pass a record off as another model’s', async () => {
    store.overwrite(DOCUMENTS.golden('signs', 'v1'), bytesAt(DOCUMENTS.golden('digits', 'v1')));
    await expect(registry.record('signs', 'v1')).rejects.toEqual(untrusted(/signs v1/));
  });

  it('cannot roll the golden model back by a pointer that nobody signed, or that the wrong key signed', async () => {
    const back = { model: 'digits', version: 'v1', promotedAt: AT.toISOString() };
    for (const pointer of [
      JSON.stringify(back),
      signCompactJws(back, 'lazaret-golden-latest+jws', strangerKey),
      // Trusted, but not for golden records.
      signCompactJws(back, 'lazaret-golden-latest+jws', pipelineKey),
    ]) {
      store.overwrite(DOCUMENTS.goldenLatest('digits'), pointer);
      await expect(registry.latest('digits')).rejects.toEqual(untrusted(/does not verify/));
    }
  });

  it('cannot use a signed record as a pointer, nor one model’s pointer as another’s', async () => {
    store.overwrite(DOCUMENTS.goldenLatest('digits'), bytesAt(DOCUMENTS.golden('digits', 'v1')));
    await expect(registry.latest('digits')).rejects.toEqual(untrusted(/does not verify/));
    await registry.write(recordOf('v9', { model: 'signs' }), registryKey);
    await registry.promote('signs', 'v9', AT, registryKey);
    store.overwrite(DOCUMENTS.goldenLatest('digits'), bytesAt(DOCUMENTS.goldenLatest('signs')));
    await expect(registry.latest('digits')).rejects.toEqual(untrusted(/about something else/));
  });

  it('cannot change a figure of a record, nor sign one with a key that is trusted for something else', async () => {
    const [head = '', body = '', tail = ''] = new TextDecoder()
      .decode(bytesAt(DOCUMENTS.golden('digits', 'v2')))
      .split('.');
    const figures = Buffer.from(body, 'base64url').toString().replace('0.98', '0.99');
    store.overwrite(
      DOCUMENTS.golden('digits', 'v2'),
      [head, Buffer.from(figures).toString('base64url'), tail].join('.'),
    );
    await expect(registry.latest('digits')).rejects.toEqual(untrusted(/does not verify/));
    store.overwrite(
      DOCUMENTS.golden('digits', 'v2'),
      signCompactJws(recordOf('v2'), 'lazaret-golden+jws', pipelineKey),
    );
    await expect(registry.record('digits', 'v2')).rejects.toEqual(untrusted(/does not verify/));
  });

  it('cannot make a registered version vanish unnoticed while it is the latest', async () => {
    store.buckets.artifacts.delete(DOCUMENTS.golden('digits', 'v2'));
    await expect(registry.latest('digits')).rejects.toEqual(untrusted(/which is not registered/));
  });

  it('cannot keep a version for itself by writing something there first', async () => {
    store.overwrite(DOCUMENTS.golden('digits', 'v3'), 'mine');
    await expect(registry.write(recordOf('v3'), registryKey)).rejects.toEqual(untrusted(/does not verify/));
  });
});
