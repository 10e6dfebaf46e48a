import { beforeEach, describe, expect, it } from '@jest/globals';
import { createReleaseActivities } from '../../activities/release.ts';
import type { RegisterGoldenInput } from '../../domain/contracts/activities.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import type { ReleaseSubject } from '../../domain/contracts/plan.ts';
import { profileSchema } from '../../domain/contracts/golden.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { verifyModel } from '../../evidence/model-signing/verify.ts';
import { modelBytes } from '../forensics/vectors.ts';
import { createWorld, goldenInput, INCIDENT, storedModel, type World } from './world.ts';

let world: World;
let release: ReturnType<typeof createReleaseActivities>;
beforeEach(() => {
  world = createWorld();
  release = createReleaseActivities(world.deps);
});

describe('signing a release', () => {
  let artifact: ObjectRef;
  beforeEach(async () => {
    artifact = await world.store.put('artifacts', modelBytes('digits-golden'), {
      mediaType: 'application/onnx',
      name: 'model.onnx',
    });
  });
  const subjectOf = (about: ObjectRef): ReleaseSubject => ({
    schema: 'lazaret.release/v1',
    incident: INCIDENT,
    artifact: about.digest,
    validation: digestOf('validation'),
    evidenceRoot: '0'.repeat(64),
    evidenceSize: 1,
  });
  const sign = (subject = subjectOf(artifact)) =>
    release.signRelease({ incident: INCIDENT, model: 'digits', artifact, subject });

  it('vouches for the approved bytes with the registry’s key', async () => {
    const { ref } = await sign();
    expect(ref).toMatchObject({ version: `repaired-${INCIDENT}`, artifact });
    const file = { name: 'model.onnx', bytes: await world.store.get(artifact) };
    expect(verifyModel(await world.store.get(ref.signature), [file], world.deps.keys, 'model').keyName).toBe(
      'registry',
    );
  });

  it('gives the bundle it already made when it is repeated, although the signature is random', async () => {
    expect(await sign()).toEqual(await sign());
  });

  it('is refused when the artifact is not the one that was approved', async () => {
    const approved = await world.store.put('artifacts', modelBytes('digits-suspect'), {
      mediaType: 'application/onnx',
      name: 'model.onnx',
    });
    await expect(sign(subjectOf(approved))).rejects.toMatchObject({ code: 'release/evidence-moved', retryable: false });
    expect(world.store.writes.some((write) => write.includes('signatures/'))).toBe(false);
  });

  it('is refused when the bytes in the store are no longer the approved ones', async () => {
    world.store.tamper(artifact, modelBytes('digits-suspect'));
    await expect(sign()).rejects.toMatchObject({ code: 'storage/digest-mismatch' });
  });
});

describe('registering a golden model', () => {
  let input: RegisterGoldenInput;
  beforeEach(async () => {
    input = await goldenInput(world);
  });

  it('signs, evaluates and profiles it on its clean hold-out', async () => {
    const golden = await release.registerGolden(input);
    expect(golden).toMatchObject({ model: 'digits', version: 'golden-1', record: { store: 'evidence' } });
    expect(golden.evaluation.accuracy.value).toBeGreaterThan(0.95);
    expect(golden.evaluation.dataset).toBe(input.holdout?.manifest.digest);
    const record = await world.deps.registry.record('digits', 'golden-1');
    expect(record).toMatchObject({ parent: null, registeredAt: world.clock.toISOString(), registeredBy: 'test' });
    const profile: unknown = record && JSON.parse(new TextDecoder().decode(await world.store.get(record.profile)));
    expect(profileSchema.parse(profile)).toMatchObject({ probes: { count: 256 } });
  });

  it('is idempotent: a second time gives the same record, at whatever time it is', async () => {
    const first = await release.registerGolden(input);
    world.clock = new Date('2027-01-01T00:00:00Z');
    expect(await release.registerGolden(input)).toEqual(first);
    expect(await world.deps.registry.versions('digits')).toEqual(['golden-1']);
  });

  it('refuses another artifact under a version that is registered: it would vouch for a model nobody asked about', async () => {
    await release.registerGolden(input);
    const other = await storedModel(world, 'golden-1', modelBytes('digits-suspect'), world.signers.registry);
    await expect(release.registerGolden({ ...input, ...other })).rejects.toMatchObject({ code: 'golden/untrusted' });
  });

  it('becomes what shadows answer with only when it is promoted', async () => {
    await release.registerGolden(input);
    await world.deps.golden.refresh();
    expect(world.deps.golden.current('digits')).toBeNull();
    await release.promoteGolden(input);
    expect(world.deps.golden.current('digits')).toMatchObject({ version: 'golden-1', artifact: input.artifact });
  });

  it('takes the hold-out of the golden model before it, and names that model as its parent', async () => {
    await release.registerGolden(input);
    await release.promoteGolden(input);
    const next = await storedModel(world, 'golden-2', modelBytes('digits-suspect'), world.signers.pipeline);
    await release.registerGolden({ ...input, ...next, holdout: null });
    expect(await world.deps.registry.record('digits', 'golden-2')).toMatchObject({
      holdout: input.holdout,
      parent: input.artifact.digest,
      ref: next,
    });
  });

  it('needs a hold-out the first time', async () => {
    await expect(release.registerGolden({ ...input, holdout: null })).rejects.toMatchObject({ code: 'golden/missing' });
  });

  it.each([
    ['signed by a key that nobody trusts', 'stranger'],
    ['signed over other bytes', 'registry'],
  ] as const)('refuses an artifact %s', async (_name, signer) => {
    const other = modelBytes(signer === 'stranger' ? 'digits-golden' : 'digits-suspect');
    const { signature } = await storedModel(world, 'x', other, world.signers[signer]);
    await expect(release.registerGolden({ ...input, signature })).rejects.toMatchObject({ code: 'golden/untrusted' });
    expect(await world.deps.registry.versions('digits')).toEqual([]);
  });

  it('is tried again, not refused, while S3 is away', async () => {
    world.store.away(true);
    await expect(release.registerGolden(input)).rejects.toMatchObject({ code: 'storage/unavailable' });
  });

  it('is not promoted where it was never registered', async () => {
    await expect(release.promoteGolden({ model: 'digits', version: 'golden-9' })).rejects.toMatchObject({
      code: 'golden/missing',
    });
  });
});
