import { beforeEach, describe, expect, it } from '@jest/globals';
import { answeringModel, createPreserveActivities } from '../../activities/preserve.ts';
import { createRecoverActivities } from '../../activities/recover.ts';
import type { ModelRef, Stance } from '../../domain/contracts/stance.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { Failure } from '../../domain/incident/failure.ts';
import { createWorld, INCIDENT, receiptOf, storedDigits, storedModel, trainingRun, type World } from './world.ts';

const BYTES = new TextEncoder().encode('the model that answered');
const WINDOW = new TextEncoder().encode('{"id":"1"}\n');

let world: World;
let served: ModelRef;
let serving: Stance;
let preserve: ReturnType<typeof createPreserveActivities>;
beforeEach(async () => {
  world = createWorld();
  served = await storedModel(world, 'nightly-1', BYTES, world.signers.pipeline);
  serving = { kind: 'serving', model: served, standby: null };
  world.endpoint.stance = serving;
  world.endpoint.windowBytes = WINDOW;
  preserve = createPreserveActivities(world.deps);
});

const capture = (live = served.artifact.digest, stance = serving) =>
  preserve.preserveCapture({ incident: INCIDENT, receipt: receiptOf('gate', stance, live, WINDOW) });

describe('preserving a capture', () => {
  it('moves receipt, window, model and signature into the evidence store', async () => {
    world.endpoint.models.set(served.artifact.digest, BYTES);
    const kept = await capture();
    expect(kept).toMatchObject({ endpoint: 'gate', modelDigest: served.artifact.digest });
    expect(kept.model).toMatchObject({ store: 'evidence', digest: served.artifact.digest });
    expect(kept.signature).toMatchObject({ store: 'evidence', digest: served.signature.digest });
    for (const ref of [kept.receipt, kept.window, kept.model, kept.signature])
      expect(ref && (await world.store.has(ref))).toBe(true);
    expect(await world.store.get(kept.window)).toEqual(WINDOW);
  });

  it('gives the same references when it is repeated', async () => {
    world.endpoint.models.set(served.artifact.digest, BYTES);
    expect(await capture()).toEqual(await capture());
  });

  it('refuses a window that is not the one the receipt names', async () => {
    world.endpoint.windowBytes = new TextEncoder().encode('{"id":"another"}\n');
    await expect(capture()).rejects.toMatchObject({ code: 'storage/digest-mismatch' });
    expect(world.store.buckets.evidence.size).toBe(0);
  });

  it('refuses model bytes of the gateway that are not those it says it served', async () => {
    world.endpoint.models.set(served.artifact.digest, new TextEncoder().encode('a better model'));
    await expect(capture()).rejects.toMatchObject({ code: 'storage/digest-mismatch' });
  });

  it('falls back to the store’s copy when the gateway no longer has the bytes', async () => {
    expect((await capture()).model).toMatchObject({ digest: served.artifact.digest });
  });

  it('refuses the store’s copy when somebody changed it', async () => {
    world.store.tamper(served.artifact, new TextEncoder().encode('the model that ANSWERED'));
    await expect(capture()).rejects.toMatchObject({ code: 'storage/digest-mismatch' });
  });

  it('has no model, but its digest, when what was loaded is not what the stance names and the gateway lost it', async () => {
    const other = digestOf('loaded behind everybody’s back');
    expect(await capture(other)).toMatchObject({ model: null, modelDigest: other });
  });

  it('keeps the window alone of an endpoint that had nothing loaded', async () => {
    const receipt = receiptOf('gate', { kind: 'isolated', reason: 'r' }, null, WINDOW);
    expect(await preserve.preserveCapture({ incident: INCIDENT, receipt })).toMatchObject({
      model: null,
      signature: null,
      modelDigest: null,
    });
  });

  it('is tried again while S3 is away', async () => {
    world.store.away(true);
    await expect(capture()).rejects.toMatchObject({ code: 'storage/unavailable', retryable: true });
  });
});

describe('preserving the context', () => {
  const context = () => preserve.preserveContext({ incident: INCIDENT, endpoint: 'gate', alerts: [] });

  it('keeps alerts, configuration and the endpoint’s status, without a golden record too', async () => {
    const { objects } = await context();
    expect(objects.map((object) => object.name)).toEqual(['alerts.json', 'configuration.json', 'endpoint-status.json']);
    expect(objects.every((object) => object.store === 'evidence')).toBe(true);
  });

  it('knows only endpoints that lazaret.yaml declares', async () => {
    await expect(
      preserve.preserveContext({ incident: INCIDENT, endpoint: 'elsewhere', alerts: [] }),
    ).rejects.toMatchObject({ code: 'endpoint/unknown' });
  });

  it('fails when the endpoint does not answer, to be tried again', async () => {
    world.endpoint.broken = new Failure('endpoint/unreachable', 'no answer');
    await expect(context()).rejects.toMatchObject({ retryable: true });
  });
});

describe('the lineage of a preserved model', () => {
  it('is its provenance and the manifest it names', async () => {
    expect((await capture()).lineage).toEqual([]);
    const dataset = await storedDigits(world, 'new');
    await createRecoverActivities(world.deps).recordProvenance({
      ...trainingRun(served.artifact, dataset),
      builder: 'pipeline',
    });
    const { lineage: kept } = await capture();
    expect(kept.every((ref) => ref.store === 'evidence')).toBe(true);
    expect(kept.map((ref) => ref.name)).toEqual(['provenance-suspect.json', 'manifest.json']);
    expect(kept[1]?.digest).toBe(dataset.manifest.digest);
  });
});

describe('the model that answers', () => {
  it('is the one of serving, canary and shadow, and none where rules or nobody answer', () => {
    expect(answeringModel(serving)).toBe(served);
    expect(answeringModel({ kind: 'canary', model: served, candidate: served, share: 0.5 })).toBe(served);
    expect(answeringModel({ kind: 'shadow', model: served, observed: null })).toBe(served);
    expect(answeringModel({ kind: 'fallback', rules: [{ when: null, scores: [1], reason: 'r' }] })).toBeNull();
    expect(answeringModel({ kind: 'isolated', reason: 'r' })).toBeNull();
  });
});
