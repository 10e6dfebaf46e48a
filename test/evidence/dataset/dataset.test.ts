import { beforeEach, describe, expect, it } from '@jest/globals';
import { objectKey } from '../../../domain/contracts/object-ref.ts';
import type { DatasetRef } from '../../../domain/contracts/dataset.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { excludeRecords } from '../../../evidence/dataset/exclude.ts';
import { sealManifest } from '../../../evidence/dataset/manifest.ts';
import { readDataset, readManifest } from '../../../evidence/dataset/read.ts';
import { encodeShard } from '../../../evidence/dataset/shard.ts';
import { writeDataset, type DatasetDraft } from '../../../evidence/dataset/write.ts';
import { generateKey } from '../../../evidence/keys/key-material.ts';
import { createSigner, trustedKeyOf } from '../../../evidence/keys/signer.ts';
import { createMemoryStore, type MemoryStore } from '../memory-store.ts';

const signer = createSigner({ name: 'pipeline', privatePem: generateKey('ES256').privatePem });
const keys = [trustedKeyOf(signer, ['dataset'])];
const about = { createdBy: 'incident-1', createdAt: '2026-02-01T00:00:00Z' };

const record = (id: string, label = 1) => ({ id, label, features: Float32Array.of(0.1, label) });
const draft: DatasetDraft = {
  name: 'signs',
  classes: ['stop', 'go', 'turn'],
  featureShape: [1, 2],
  batches: [
    {
      batch: 'b1',
      source: 'lab',
      ingestedAt: '2026-01-01T00:00:00Z',
      records: ['r1', 'r2', 'r3'].map((id) => record(id)),
    },
    {
      batch: 'b2',
      source: 'field',
      ingestedAt: '2026-01-02T00:00:00Z',
      records: ['r4', 'r𐀀', 'r\uffff'].map((id) => record(id, 2)),
    },
  ],
  createdBy: 'pipeline',
  createdAt: '2026-01-03T00:00:00Z',
};

let store: MemoryStore;
beforeEach(() => {
  store = createMemoryStore();
});

const write = () => writeDataset(store, signer, draft);
const read = (ref: DatasetRef) => readDataset(store, ref, keys);
const invalid = (message: RegExp) =>
  expect.objectContaining({ code: 'dataset/invalid', message: expect.stringMatching(message) });

describe('a data set', () => {
  it('is read back with its columns in the order it was written', async () => {
    const { ref, manifest } = await write();
    const { columns, manifest: again } = await read(ref);
    expect(again).toEqual(manifest);
    expect(columns).toMatchObject({ count: 6, width: 2, ids: ['r1', 'r2', 'r3', 'r4', 'r𐀀', 'r\uffff'] });
    expect([...columns.labels]).toEqual([1, 1, 1, 2, 2, 2]);
    expect([...columns.features.slice(0, 2)]).toEqual([Math.fround(0.1), 1]);
    expect(columns.sources).toEqual(['lab', 'lab', 'lab', 'field', 'field', 'field']);
  });

  it('is the same version when it is written again', async () => {
    expect((await write()).ref.manifest).toEqual((await write()).ref.manifest);
  });

  it('takes over the shards of an earlier version', async () => {
    const first = await write();
    const second = await writeDataset(store, signer, {
      ...draft,
      shards: first.manifest.shards,
      parent: first.ref.manifest.digest,
      batches: [{ batch: 'b3', source: 'field', ingestedAt: '2026-01-04T00:00:00Z', records: [record('r7')] }],
    });
    expect((await read(second.ref)).columns.count).toBe(7);
    expect(second.manifest.parent).toBe(first.ref.manifest.digest);
    await expect(writeDataset(store, signer, { ...draft, shards: first.manifest.shards })).rejects.toEqual(
      invalid(/ingested once/),
    );
  });

  it('refuses records with an id given twice, in one batch or in two', async () => {
    const twice = { ...draft.batches[1]!, records: [record('r1')] };
    await expect(writeDataset(store, signer, { ...draft, batches: [draft.batches[0]!, twice] })).rejects.toEqual(
      invalid(/"r1" is given twice/),
    );
    const first = await write();
    const smuggled = await writeDataset(store, signer, {
      ...draft,
      shards: first.manifest.shards,
      batches: [{ ...twice, batch: 'b3' }],
    });
    await expect(read(smuggled.ref)).rejects.toEqual(invalid(/of batch b3 repeats the record id "r1"/));
  });
});

describe('a version without some records', () => {
  it('leaves them out, says which, and names the version it came from', async () => {
    const { ref, manifest } = await write();
    const { dataset, diff } = await excludeRecords(store, signer, ref, manifest, ['r\uffff', 'r𐀀', 'r2'], about);
    const { manifest: clean, columns } = await read(dataset);
    expect(columns.ids).toEqual(['r1', 'r3', 'r4']);
    expect(clean).toMatchObject({ parent: ref.manifest.digest, records: 3, createdBy: 'incident-1' });
    expect(diff).toMatchObject({
      before: ref.manifest.digest,
      after: dataset.manifest.digest,
      dropped: 3,
      kept: 3,
      byBatch: [
        { batch: 'b1', source: 'lab', ids: ['r2'] },
        // By code point: U+FFFF before U+10000, unlike JavaScript's own order.
        { batch: 'b2', source: 'field', ids: ['r\uffff', 'r𐀀'] },
      ],
    });
  });

  it('keeps what earlier versions left out', async () => {
    const { ref, manifest } = await write();
    const once = await excludeRecords(store, signer, ref, manifest, ['r2'], about);
    const twice = await excludeRecords(store, signer, once.dataset, once.manifest, ['r1'], about);
    expect((await read(twice.dataset)).columns.ids).toEqual(['r3', 'r4', 'r𐀀', 'r\uffff']);
    expect(twice.diff.byBatch).toEqual([{ batch: 'b1', source: 'lab', ids: ['r1'] }]);
  });

  it('cannot leave out what the version does not hold', async () => {
    const { ref, manifest } = await write();
    await expect(excludeRecords(store, signer, ref, manifest, ['r1', 'r99'], about)).rejects.toEqual(invalid(/"r99"/));
    const dangling = await writeDataset(store, signer, { ...draft, exclusions: ['r99'] });
    await expect(read(dangling.ref)).rejects.toEqual(invalid(/"r99", which no shard/));
  });
});

describe('an attacker with write access to the data set', () => {
  const overwrite = (digest: DatasetRef['manifest']['digest'], bytes: Uint8Array) =>
    store.buckets.artifacts.set(objectKey(digest), bytes);

  it('cannot truncate a shard, flip a bit of it or remove it unnoticed', async () => {
    const { ref, manifest } = await write();
    const { object } = manifest.shards[1]!;
    const shard = await store.get(object);
    overwrite(object.digest, shard.subarray(0, -10));
    await expect(read(ref)).rejects.toEqual(invalid(/of batch b2 cannot be used/));
    const flipped = Uint8Array.from(shard);
    flipped[40]! ^= 1;
    overwrite(object.digest, flipped);
    await expect(read(ref)).rejects.toEqual(invalid(/of batch b2 cannot be used/));
    store.buckets.artifacts.delete(objectKey(object.digest));
    await expect(read(ref)).rejects.toEqual(invalid(/of batch b2 cannot be used/));
  });

  it('cannot change the manifest, or sign it with a key of another use or of their own', async () => {
    const { ref, manifest } = await write();
    const forged = await store.put('artifacts', new TextEncoder().encode(JSON.stringify({ ...manifest, records: 1 })), {
      mediaType: 'application/json',
      name: 'manifest.json',
    });
    await expect(read({ ...ref, manifest: forged })).rejects.toEqual(invalid(/not signed by a trusted key/));
    await expect(readManifest(store, ref, [trustedKeyOf(signer, ['model'])])).rejects.toEqual(
      invalid(/not signed by a trusted key/),
    );
    const own = createSigner({ name: 'attacker', privatePem: generateKey('ES256').privatePem });
    const theirs = await writeDataset(store, own, draft);
    await expect(read(theirs.ref)).rejects.toEqual(invalid(/not signed by a trusted key/));
    await expect(read({ ...ref, name: 'other' })).rejects.toEqual(invalid(/not that of a data set of this name/));
  });
});

describe('a manifest that is signed and still wrong', () => {
  const sealed = async (
    change: (shard: Awaited<ReturnType<typeof write>>['manifest']['shards'][number]) => object,
    records = 6,
  ) => {
    const { manifest } = await write();
    const shards = manifest.shards.map((shard, index) => (index === 1 ? { ...shard, ...change(shard) } : shard));
    return (await sealManifest(store, signer, { ...manifest, shards, records })).ref;
  };
  const badShard = async (records: Parameters<typeof encodeShard>[0]) => {
    const object = await store.put('artifacts', encodeShard(records), { mediaType: 'x/y', name: 'b2.parquet' });
    return { object, records: records.length };
  };
  const whole = (id: string, change: object = {}) => ({
    ...record(id),
    source: 'field',
    batch: 'b2',
    ingestedAt: Date.parse('2026-01-02T00:00:00Z'),
    ...change,
  });

  it('names the shard whose record root differs', async () => {
    const ref = await sealed(() => ({ recordRoot: digestOf('other') }));
    await expect(read(ref)).rejects.toEqual(invalid(/of batch b2 has the record root .* was expected/));
  });

  it('names the shard whose count differs', async () => {
    const ref = await sealed(() => ({ records: 4 }), 7);
    await expect(read(ref)).rejects.toEqual(invalid(/of batch b2 has 3 records where 4 were expected/));
  });

  it('does not add up', async () => {
    const ref = await sealed(() => ({}), 5);
    await expect(read(ref)).rejects.toEqual(invalid(/counts 5 records; its shards and exclusions make it 6/));
  });

  it.each([
    [
      'a feature that is no number',
      { features: Float32Array.of(Number.NaN, 1) },
      /feature that is not a finite number/,
    ],
    ['a record of another width', { features: Float32Array.of(1, 2, 3) }, /3 features where 2 were expected/],
    ['a label beyond the classes', { label: 3 }, /label 3 where 0 to 2 were expected/],
    ['a record of another source', { source: 'elsewhere' }, /another batch, source or time/],
  ])('names the shard that holds %s', async (_what, change, message) => {
    const shard = await badShard([whole('x', change)]);
    const ref = await sealed(() => shard, 4);
    await expect(read(ref)).rejects.toEqual(invalid(message));
    await expect(read(ref)).rejects.toEqual(invalid(/of batch b2/));
  });
});
