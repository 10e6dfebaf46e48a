import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { prepareBuckets } from '../../clients/s3/buckets.ts';
import type { S3Config } from '../../clients/s3/connection.ts';
import { createS3Store, type S3Store } from '../../clients/s3/store.ts';
import { objectKey } from '../../domain/contracts/object-ref.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { enginePath, freePort, startS3, type S3Engine } from '../engines.ts';

const text = (value: string) => new TextEncoder().encode(value);
const about = { mediaType: 'text/plain', name: 'note.txt' };
const DAY_MS = 86_400_000;
const present = enginePath('versitygw') !== null;

(present ? describe : describe.skip)('the S3 store against versitygw (skipped where versitygw is absent)', () => {
  let engine: S3Engine;
  let config: S3Config;
  let store: S3Store;
  let raw: S3Client;

  beforeAll(async () => {
    engine = await startS3();
    config = {
      endpoint: engine.endpoint,
      region: 'us-east-1',
      accessKeyId: engine.accessKeyId,
      secretAccessKey: engine.secretAccessKey,
      evidenceBucket: 'evidence',
      artifactsBucket: 'artifacts',
      retentionDays: 2,
      forcePathStyle: true,
    };
    await prepareBuckets(config);
    store = createS3Store(config);
    raw = new S3Client({
      endpoint: engine.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: engine.accessKeyId, secretAccessKey: engine.secretAccessKey },
    });
  });
  afterAll(async () => {
    store.close();
    raw.destroy();
    await engine.stop();
  });

  const versionsOf = async (key: string) =>
    (await raw.send(new ListObjectVersionsCommand({ Bucket: 'evidence', Prefix: key }))).Versions ?? [];
  const retentionOf = async (key: string) =>
    (await raw.send(new GetObjectRetentionCommand({ Bucket: 'evidence', Key: key }))).Retention;

  it('prepares its buckets as often as one likes', async () => {
    await prepareBuckets(config);
    await prepareBuckets(config);
  });

  it('refuses a bucket for evidence that was made without Object Lock', async () => {
    await expect(prepareBuckets({ ...config, evidenceBucket: 'artifacts' })).rejects.toMatchObject({
      code: 'storage/unavailable',
      message: expect.stringContaining('without Object Lock'),
    });
  });

  it.each(['evidence', 'artifacts'] as const)(
    'gives back what was put into %s, and a second put is no error',
    async (where) => {
      const bytes = text(`round trip ${where}`);
      const first = await store.put(where, bytes, about);
      const second = await store.put(where, bytes, about);
      expect(first).toEqual({ store: where, digest: digestOf(bytes), bytes: bytes.length, ...about });
      expect(second).toEqual(first);
      expect(Buffer.from(await store.get(first))).toEqual(Buffer.from(bytes));
      expect(await store.has(first)).toBe(true);
    },
  );

  it('keeps one version of an evidence object however many write it at once', async () => {
    const bytes = text('written by sixteen');
    const refs = await Promise.all(Array.from({ length: 16 }, () => store.put('evidence', bytes, about)));
    expect(await versionsOf(objectKey(refs[0]!.digest))).toHaveLength(1);
  });

  it('holds an empty object and one of several megabytes', async () => {
    for (const bytes of [new Uint8Array(), new Uint8Array(5_000_000).fill(7)]) {
      const ref = await store.put('artifacts', bytes, about);
      expect((await store.get(ref)).length).toBe(bytes.length);
    }
  });

  it('locks each evidence object: its version cannot be deleted, bypass or not, and its retention cannot be shortened', async () => {
    const ref = await store.put('evidence', text('locked'), about);
    const key = objectKey(ref.digest);
    const version = (await versionsOf(key))[0]!.VersionId;
    const target = { Bucket: 'evidence', Key: key, VersionId: version };
    expect(await retentionOf(key)).toMatchObject({ Mode: 'COMPLIANCE' });

    await expect(raw.send(new DeleteObjectCommand(target))).rejects.toThrow();
    await expect(raw.send(new DeleteObjectCommand({ ...target, BypassGovernanceRetention: true }))).rejects.toThrow();
    const sooner = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(Date.now() + 60_000) } as const;
    await expect(raw.send(new PutObjectRetentionCommand({ ...target, Retention: sooner }))).rejects.toThrow();
    expect(Buffer.from(await store.get(ref)).toString()).toBe('locked');
  });

  it('extends the lock of evidence that is used again later', async () => {
    const bytes = text('used in two incidents');
    const ref = await store.put('evidence', bytes, about);
    const before = (await retentionOf(objectKey(ref.digest)))!.RetainUntilDate!;
    const later = createS3Store(config, () => Date.now() + 30 * DAY_MS);
    await later.put('evidence', bytes, about);
    later.close();
    const after = (await retentionOf(objectKey(ref.digest)))!.RetainUntilDate!;
    expect(after.getTime() - before.getTime()).toBeGreaterThan(29 * DAY_MS);
  });

  it('notices a newer version of the same length put over an object', async () => {
    const ref = await store.put('evidence', text('genuine'), about);
    await raw.send(new PutObjectCommand({ Bucket: 'evidence', Key: objectKey(ref.digest), Body: text('forgery') }));
    await expect(store.get(ref)).rejects.toMatchObject({ code: 'storage/digest-mismatch' });
    expect(await versionsOf(objectKey(ref.digest))).toHaveLength(2);
  });

  it('notices a truncated object, on reading and on putting it again', async () => {
    const bytes = text('a whole object');
    const ref = await store.put('artifacts', bytes, about);
    await raw.send(new PutObjectCommand({ Bucket: 'artifacts', Key: objectKey(ref.digest), Body: text('a whole') }));
    expect(await store.has(ref)).toBe(false);
    await expect(store.get(ref)).rejects.toMatchObject({ code: 'storage/digest-mismatch' });
    await expect(store.put('artifacts', bytes, about)).rejects.toMatchObject({ code: 'storage/digest-mismatch' });
  });

  it('says what is missing', async () => {
    const ref = { ...(await store.put('evidence', text('x'), about)), digest: digestOf('never stored') };
    expect(await store.has(ref)).toBe(false);
    await expect(store.get(ref)).rejects.toMatchObject({ code: 'storage/not-found' });
  });

  it('replaces a document only where the expectation holds', async () => {
    const key = 'stances/camera.jws';
    expect(await store.readDocument(key)).toBeNull();
    expect(await store.writeDocument(key, text('0'), 'text/plain', '"no-such-etag"')).toBe(false);
    expect(await store.writeDocument(key, text('1'), 'text/plain', null)).toBe(true);
    expect(await store.writeDocument(key, text('1b'), 'text/plain', null)).toBe(false);
    const first = (await store.readDocument(key))!;
    expect(await store.writeDocument(key, text('2'), 'text/plain', first.etag)).toBe(true);
    expect(await store.writeDocument(key, text('2b'), 'text/plain', first.etag)).toBe(false);
    expect(await store.writeDocument(key, text('3'), 'text/plain', 'any')).toBe(true);
    expect(Buffer.from((await store.readDocument(key))!.bytes).toString()).toBe('3');
    const newest = (await store.readDocument(key))!;
    expect([...(await store.listDocuments('stances/'))]).toEqual([[key, newest.etag]]);
    await store.writeDocument(key, text('4'), 'text/plain', 'any');
    expect((await store.listDocuments('stances/')).get(key)).not.toBe(newest.etag);
  });

  it('lets exactly one of sixteen writers replace a version', async () => {
    const key = 'stances/race.jws';
    await store.writeDocument(key, text('start'), 'text/plain', null);
    const { etag } = (await store.readDocument(key))!;
    const won = await Promise.all(
      Array.from({ length: 16 }, (_, writer) => store.writeDocument(key, text(`writer ${writer}`), 'text/plain', etag)),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
  });

  it('writes a document of the evidence bucket once, under a lock', async () => {
    const key = 'cases/camera-1/log/00000000.json';
    expect(await store.readEvidence(key)).toBeNull();
    expect(await store.writeOnce(key, text('{}'), 'application/json')).toBe('written');
    expect(await store.writeOnce(key, text('{"forged":true}'), 'application/json')).toBe('exists');
    expect(Buffer.from((await store.readEvidence(key))!).toString()).toBe('{}');
    expect(await retentionOf(key)).toMatchObject({ Mode: 'COMPLIANCE' });
    expect(await store.listEvidence('cases/camera-1/')).toEqual([key]);
  });

  it('lists more documents than one page holds', async () => {
    const keys = Array.from({ length: 1_005 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    for (let start = 0; start < keys.length; start += 64) {
      await Promise.all(
        keys.slice(start, start + 64).map((key) => store.writeDocument(key, text(key), 'text/plain', 'any')),
      );
    }
    expect([...(await store.listDocuments('many/')).keys()]).toEqual(keys);
  });

  it('names refused credentials and a bucket that is not there', async () => {
    const stranger = createS3Store({ ...config, secretAccessKey: 'wrong' });
    await expect(stranger.listDocuments('')).rejects.toMatchObject({
      code: 'storage/unavailable',
      message: expect.stringContaining('credentials'),
    });
    stranger.close();
    const lost = createS3Store({ ...config, artifactsBucket: 'no-such-bucket' });
    await expect(lost.readDocument('x')).rejects.toMatchObject({
      code: 'storage/unavailable',
      message: expect.stringContaining('bucket does not exist'),
    });
    lost.close();
  });
});

describe('the S3 store without an S3', () => {
  it('says storage/unavailable for every call, within two seconds, and that it may be retried', async () => {
    const store = createS3Store({
      endpoint: `http://127.0.0.1:${await freePort()}`,
      region: 'us-east-1',
      accessKeyId: 'a',
      secretAccessKey: 'b',
      evidenceBucket: 'evidence',
      artifactsBucket: 'artifacts',
      retentionDays: 1,
      forcePathStyle: true,
    });
    const ref = { store: 'evidence', digest: digestOf('x'), bytes: 1, ...about } as const;
    const started = Date.now();
    const calls = [
      store.put('evidence', text('x'), about),
      store.get(ref),
      store.has(ref),
      store.readDocument('k'),
      store.writeDocument('k', text('x'), 'text/plain', null),
      store.listDocuments(''),
      store.writeOnce('k', text('x'), 'text/plain'),
      store.readEvidence('k'),
      store.listEvidence(''),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'storage/unavailable', retryable: true } });
    }
    expect(Date.now() - started).toBeLessThan(2_000);
    store.close();
  });
});
