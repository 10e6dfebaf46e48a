import { beforeEach, describe, expect, it } from '@jest/globals';
import { readLineage } from '../../activities/lineage-records.ts';
import { createRecoverActivities } from '../../activities/recover.ts';
import type { DatasetRef } from '../../domain/contracts/dataset.ts';
import type { ModelRef } from '../../domain/contracts/stance.ts';
import { digestOf, hexOf } from '../../domain/proofs/digest.ts';
import { DOCUMENTS } from '../../evidence/ports.ts';
import { trainingProvenance } from '../../evidence/statements/provenance.ts';
import { signStatement } from '../../evidence/statements/statement.ts';
import { createWorld, storedDigits, storedModel, trainingRun, type World } from './world.ts';

let world: World;
let model: ModelRef;
let dataset: DatasetRef;
beforeEach(async () => {
  world = createWorld();
  model = await storedModel(world, 'nightly-1', new TextEncoder().encode('a model'), world.signers.pipeline);
  dataset = await storedDigits(world, 'new');
});

const at = (): string => DOCUMENTS.provenance(hexOf(model.artifact.digest));
const record = (builder = 'lazaret', run = trainingRun(model.artifact, dataset)) =>
  createRecoverActivities(world.deps).recordProvenance({ ...run, builder });
const lineage = () => readLineage(world.deps, model.artifact.digest);

describe('the provenance of a training run', () => {
  it('is found by the artifact’s digest, with the data set that went in and who ran it', async () => {
    await record('pipeline');
    expect(await lineage()).toEqual({ dataset, manifest: dataset.manifest, builder: 'pipeline' });
  });

  it('is kept as evidence, and a repeated step gives the same, although signatures are random', async () => {
    const first = await record('pipeline');
    expect(await record('pipeline')).toEqual(first);
    expect(first.provenance.store).toBe('evidence');
  });

  it('that ends with the same bytes as an earlier one is its own, but does not rewrite where the bytes first came from', async () => {
    const first = await record('pipeline');
    const { job, result } = trainingRun(model.artifact, dataset);
    const rerun = { job: { ...job, jobId: 'rerun' }, result: { ...result, jobId: 'rerun' } };
    expect(await record('somebody else', rerun)).not.toEqual(first);
    expect(await lineage()).toMatchObject({ builder: 'pipeline' });
  });

  it('is not written for the result of another job', async () => {
    const run = trainingRun(model.artifact, dataset);
    await expect(record('lazaret', { ...run, result: { ...run.result, jobId: 'other' } })).rejects.toThrow(
      /not of this job/,
    );
    expect(await lineage()).toBeNull();
  });
});

describe('the lineage of an artifact', () => {
  it('is unknown, not an error, where nothing is on record', async () => {
    expect(await lineage()).toBeNull();
  });

  it('does not come from provenance that was moved here from another artifact', async () => {
    const other = await storedModel(world, 'v2', new TextEncoder().encode('another'), world.signers.pipeline);
    await record('pipeline', trainingRun(other.artifact, dataset));
    const moved = world.store.buckets.artifacts.get(DOCUMENTS.provenance(hexOf(other.artifact.digest)));
    world.store.overwrite(at(), moved ?? '');
    expect(await lineage()).toBeNull();
  });

  it('does not come from provenance that no key of use "provenance" signed', async () => {
    const statement = trainingProvenance({ ...trainingRun(model.artifact, dataset), builder: 'attacker' });
    for (const signer of [world.signers.stranger, world.signers.responder]) {
      world.store.overwrite(at(), signStatement(statement, signer));
      expect(await lineage()).toBeNull();
    }
    world.store.overwrite(at(), '{"payload":"');
    expect(await lineage()).toBeNull();
  });

  it('is asked for again while S3 is away, and not taken for unknown', async () => {
    await record();
    world.store.away(true);
    await expect(readLineage(world.deps, digestOf('anything'))).rejects.toMatchObject({ code: 'storage/unavailable' });
  });
});
