import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createS3Store, type S3Store } from '../../clients/s3/store.ts';
import { createRunClient } from '../../clients/temporal/run-client.ts';
import { createTemporalClient } from '../../clients/temporal/connect.ts';
import { objectKey } from '../../domain/contracts/object-ref.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { readManifest } from '../../evidence/dataset/read.ts';
import { generateKey } from '../../evidence/keys/key-material.ts';
import { createSigner } from '../../evidence/keys/signer.ts';
import { loadTrustFile } from '../../evidence/keys/trusted-keys.ts';
import { signModel } from '../../evidence/model-signing/sign.ts';
import { createDoors } from '../../station/drills/doors.ts';
import { signDecision } from '../../station/drills/people.ts';
import { createPipeline, type Pipeline } from '../../station/drills/pipeline.ts';
import { setTheScene, type Scene } from '../../station/drills/scene.ts';
import { digitsStickered, DIGITS } from '../../station/drills/sticker/digits.ts';
import { readLineage } from '../../activities/lineage-records.ts';
import { missingForStation, startTestStation, until, type TestStation } from './station.ts';

const missing = missingForStation();
const whole = missing ? describe.skip : describe;

whole(`attackers of a running station${missing ? ` (skipped: ${missing} is missing)` : ''}`, () => {
  let at: TestStation;
  let scene: Scene;
  let store: S3Store;
  let pipeline: Pipeline;
  let closeTemporal: () => Promise<void>;

  beforeAll(async () => {
    at = await startTestStation();
    const station = at.station.describe();
    scene = await setTheScene(station, (await digitsStickered(7)).plot, () => {});
    store = createS3Store({ ...station.s3, retentionDays: 1, forcePathStyle: true });
    const temporal = createTemporalClient({
      LAZARET_TEMPORAL_ADDRESS: station.temporal.address,
      LAZARET_TEMPORAL_NAMESPACE: station.temporal.namespace,
    });
    closeTemporal = () => temporal.close();
    pipeline = await createPipeline(station, store, createRunClient(temporal.client), at.adapter, DIGITS);
  }, 180_000);
  afterAll(async () => {
    store?.close();
    await scene?.close();
    await closeTemporal?.();
    await at?.stop();
  }, 60_000);

  const stanceOf = async (endpoint: string) => (await at.adapter.read(endpoint)).stance;

  it('does not get an unsigned model served: the order is refused and the stance before it holds', async () => {
    const before = await stanceOf('digits-archive');
    const stranger = createSigner({ name: 'stranger', privatePem: generateKey('ES256').privatePem });
    const bundle = signModel([{ name: 'model.onnx', bytes: await store.get(scene.poisoned.artifact) }], stranger);
    const signature = await store.put('artifacts', bundle, { mediaType: 'application/json', name: 'model.onnx.sig' });
    const model: ModelRef = { version: 'unsigned', artifact: scene.poisoned.artifact, signature };
    await expect(pipeline.deploy('digits-archive', model, null)).rejects.toMatchObject({ code: 'endpoint/refused' });
    expect(await stanceOf('digits-archive')).toEqual(before);
  }, 30_000);

  it('does not get a model served that was changed after signing', async () => {
    const before = await stanceOf('digits-archive');
    const changed = Uint8Array.from(await store.get(scene.golden.artifact));
    changed[changed.length - 5]! ^= 1;
    const artifact = await store.put('artifacts', changed, { mediaType: 'application/onnx', name: 'model.onnx' });
    const model: ModelRef = { version: 'changed', artifact, signature: scene.golden.signature };
    await expect(pipeline.deploy('digits-archive', model, null)).rejects.toMatchObject({ code: 'endpoint/refused' });
    expect(await stanceOf('digits-archive')).toEqual(before);
  }, 30_000);

  it('cannot make Lazaret train on a truncated data set: the endpoint stays contained and a person is asked', async () => {
    const station = at.station.describe();
    const keys = loadTrustFile(readFileSync(station.paths.trust, 'utf8'));
    const lineage = await readLineage({ store, keys }, scene.poisoned.artifact.digest);
    const manifest = await readManifest(store, lineage!.dataset, keys);
    const shard = manifest.shards.at(-1)!.object;
    const whole = await store.get(shard);
    await overwrite(station.s3, objectKey(shard.digest), whole.subarray(0, whole.length / 2));

    const doors = createDoors(station);
    const { incidents } = await doors.alertmanager(alertOn('digits'));
    const incident = incidents[0]!.incident;
    let state: (IncidentState & { status: 'running' }) | null = null;
    await until(
      'the incident waits for a person',
      async () => {
        const now = await scene.incidents.state(incident);
        if (now.status === 'running' && (now.waiting.for === 'command' || now.waiting.for === 'approval')) state = now;
        return state !== null;
      },
      120_000,
    );
    // The shard is not what its manifest names: nothing is concluded from it, nothing is trained on it, and the golden model is proposed.
    const records = state!.findings.find((finding) => finding.analyser === 'training-records');
    expect(records).toMatchObject({ verdict: 'inconclusive', failure: { code: 'dataset/invalid' } });
    expect(state!).toMatchObject({
      waiting: { for: 'approval', gate: 'plan' },
      plan: { action: 'restore' },
      training: { result: null },
    });
    expect((await stanceOf('digits')).kind).toBe('shadow');

    const about = {
      incident,
      gate: 'incident',
      digest: incident,
      decision: 'cancel',
      reason: 'the data set is damaged',
    } as const;
    const cancel = await signDecision(station, { person: 'sol', role: 'security-lead' }, about);
    expect((await doors.decide(incident, cancel)).status).toBe(200);
    await until('the incident closes', async () => (await scene.incidents.state(incident)).status === 'closed', 60_000);
    expect(await scene.incidents.state(incident)).toMatchObject({
      outcome: 'cancelled',
      stances: { digits: 'shadow' },
    });
    expect((await stanceOf('digits')).kind).toBe('shadow');
    // A deployment key does not lift what an incident holds.
    await expect(pipeline.deploy('digits', scene.poisoned, null)).rejects.toMatchObject({ code: 'endpoint/refused' });
  }, 240_000);
});

async function overwrite(
  s3: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string; artifactsBucket: string },
  key: string,
  body: Uint8Array,
): Promise<void> {
  const client = new S3Client({
    endpoint: s3.endpoint,
    region: s3.region,
    forcePathStyle: true,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
  });
  await client.send(new PutObjectCommand({ Bucket: s3.artifactsBucket, Key: key, Body: body }));
  client.destroy();
}

function alertOn(endpoint: string): unknown {
  const labels = { alertname: 'ModelPoisoningSuspected', endpoint, severity: 'critical' };
  return {
    receiver: 'lazaret',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels,
        annotations: { summary: 'shifted' },
        startsAt: new Date().toISOString(),
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: '',
        fingerprint: '00b629c335daa8a2',
      },
    ],
    groupLabels: { alertname: labels.alertname },
    commonLabels: labels,
    commonAnnotations: {},
    externalURL: 'http://alertmanager.invalid',
    version: '4',
    groupKey: '{}:{}',
    truncatedAlerts: 0,
  };
}
