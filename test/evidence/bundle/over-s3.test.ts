import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { prepareBuckets } from '../../../clients/s3/buckets.ts';
import { createS3Store, type S3Store } from '../../../clients/s3/store.ts';
import { verifyBundle } from '../../../evidence/bundle/verify.ts';
import { excludeRecords } from '../../../evidence/dataset/exclude.ts';
import { readDataset } from '../../../evidence/dataset/read.ts';
import { writeDataset } from '../../../evidence/dataset/write.ts';
import { trustedKeyOf } from '../../../evidence/keys/signer.ts';
import { enginePath, startS3, type S3Engine } from '../../engines.ts';
import { bundleOf, machines, registry, trustRoot } from './incident.ts';

(enginePath('versitygw') ? describe : describe.skip)(
  'evidence over versitygw (skipped where versitygw is absent)',
  () => {
    let engine: S3Engine;
    let store: S3Store;
    beforeAll(async () => {
      engine = await startS3();
      const config = {
        endpoint: engine.endpoint,
        region: 'us-east-1',
        accessKeyId: engine.accessKeyId,
        secretAccessKey: engine.secretAccessKey,
        evidenceBucket: 'evidence',
        artifactsBucket: 'artifacts',
        retentionDays: 1,
        forcePathStyle: true,
      };
      await prepareBuckets(config);
      store = createS3Store(config);
    });
    afterAll(async () => {
      store.close();
      await engine.stop();
    });

    it('a bundle made from the buckets keeps every promise', async () => {
      const report = verifyBundle(await bundleOf({ store }), { trust: machines, people: trustRoot });
      expect(report.checks.filter((check) => !check.passed)).toEqual([]);
    });

    it('a data set is written, cleaned and read', async () => {
      const keys = [trustedKeyOf(registry, ['dataset'])];
      const records = Array.from({ length: 500 }, (_, row) => ({
        id: `r${row}`,
        features: Float32Array.from({ length: 64 }, (__, column) => (row * column) % 17),
        label: row % 10,
      }));
      const { ref, manifest } = await writeDataset(store, registry, {
        name: 'digits',
        classes: [...'0123456789'],
        featureShape: [1, 8, 8],
        batches: [{ batch: 'b1', source: 'lab', ingestedAt: '2026-01-01T00:00:00Z', records }],
        createdBy: 'pipeline',
        createdAt: '2026-01-01T00:00:00Z',
      });
      const about = { createdBy: 'incident', createdAt: '2026-01-02T00:00:00Z' };
      const { dataset } = await excludeRecords(store, registry, ref, manifest, ['r7', 'r77'], about);
      expect((await readDataset(store, dataset, keys)).columns).toMatchObject({ count: 498, width: 64 });
    });
  },
);
