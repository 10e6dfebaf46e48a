import { beforeEach, describe, expect, it } from '@jest/globals';
import { createEradicateActivities } from '../../activities/eradicate.ts';
import type { DatasetRef } from '../../domain/contracts/dataset.ts';
import { readDataset } from '../../evidence/dataset/read.ts';
import { createWorld, INCIDENT, storedDigits, type World } from './world.ts';

let world: World;
let dataset: DatasetRef;
beforeEach(async () => {
  world = createWorld();
  dataset = await storedDigits(world, 'new');
});

async function sanitize(ids: unknown, count: number, from = dataset) {
  const list = await world.store.put('evidence', new TextEncoder().encode(JSON.stringify(ids)), {
    mediaType: 'application/json',
    name: 'tainted-records.json',
  });
  const activities = createEradicateActivities(world.deps);
  return await activities.sanitizeDataset({ incident: INCIDENT, dataset: from, drop: { list, count } });
}

describe('eradicating tainted records', () => {
  it('makes a version without them, whose difference is evidence', async () => {
    const made = await sanitize(['new-0000', 'new-0007'], 2);
    expect(made).toMatchObject({ dropped: 2, kept: 448, diff: { store: 'evidence' } });
    const { columns, manifest } = await readDataset(world.store, made.dataset, world.deps.keys);
    expect(columns.count).toBe(448);
    expect(columns.ids).not.toContain('new-0007');
    expect(manifest).toMatchObject({ parent: dataset.manifest.digest, createdBy: `incident ${INCIDENT}` });
    const diff: unknown = JSON.parse(new TextDecoder().decode(await world.store.get(made.diff)));
    expect(diff).toMatchObject({ before: dataset.manifest.digest, after: made.dataset.manifest.digest, dropped: 2 });
  });

  it('makes the same version when it is repeated, whatever the clock says', async () => {
    const first = await sanitize(['new-0003'], 1);
    world.clock = new Date('2027-01-01T00:00:00Z');
    const again = await sanitize(['new-0003'], 1);
    expect(again.dataset.manifest).toEqual(first.dataset.manifest);
    expect(again.diff).toEqual(first.diff);
  });

  it('leaves the version it came from as it was', async () => {
    await sanitize(['new-0003'], 1);
    expect((await readDataset(world.store, dataset, world.deps.keys)).columns.count).toBe(450);
  });

  it('counts a record once that is listed twice', async () => {
    expect(await sanitize(['new-0003', 'new-0003'], 2)).toMatchObject({ dropped: 1, kept: 449 });
  });

  it.each([
    ['has another number of ids than was approved', ['new-0003'], 2],
    ['is empty', [], 0],
    ['holds something other than ids', [7], 1],
    ['is not a list', { id: 'new-0003' }, 1],
    ['names a record that is not in the data set', ['golden-0003'], 1],
  ])('is refused where the list %s', async (_name, ids, count) => {
    await expect(sanitize(ids, count)).rejects.toMatchObject({ code: 'dataset/invalid' });
  });

  it('is refused on a data set whose manifest no trusted key signed', async () => {
    const forged = await storedDigits(world, 'new', world.signers.stranger);
    await expect(sanitize(['new-0003'], 1, forged)).rejects.toMatchObject({ code: 'dataset/invalid' });
  });

  it('is tried again while S3 is away', async () => {
    const list = await world.store.put('evidence', new TextEncoder().encode('["new-0003"]'), {
      mediaType: 'application/json',
      name: 'tainted-records.json',
    });
    world.store.away(true);
    await expect(
      createEradicateActivities(world.deps).sanitizeDataset({ incident: INCIDENT, dataset, drop: { list, count: 1 } }),
    ).rejects.toMatchObject({ code: 'storage/unavailable', retryable: true });
  });
});
