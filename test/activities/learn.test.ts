import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLearnActivities, readSuite } from '../../activities/learn.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import { DOCUMENTS } from '../../evidence/ports.ts';
import { createFakeStore, type FakeStore } from '../fakes/store.ts';
import { createWorld, INCIDENT, type World } from './world.ts';

const attack = (name: string): ObjectRef => ({
  store: 'evidence',
  digest: digestOf(name),
  bytes: 1,
  mediaType: 'application/json',
  name: 'captured-attack.json',
});
const KEY = DOCUMENTS.regressions('digits');

let store: FakeStore;
let world: World;
beforeEach(() => {
  world = createWorld();
  store = createFakeStore();
});
const add = (name: string) =>
  createLearnActivities({ store, adapter: world.deps.adapter }).addRegression({
    incident: INCIDENT,
    model: 'digits',
    attack: attack(name),
  });
const known = async () => (await readSuite(store, 'digits')).suite.map((one) => one.digest);

describe('the regression suite of a model', () => {
  it('is empty before any attack was captured', async () => {
    expect(await readSuite(store, 'digits')).toEqual({ suite: [], etag: null });
  });

  it('grows by each captured attack, and by none twice', async () => {
    expect(await add('first')).toEqual({ regressions: 1 });
    expect(await add('second')).toEqual({ regressions: 2 });
    expect(await add('first')).toEqual({ regressions: 2 });
    expect(await known()).toEqual([digestOf('first'), digestOf('second')]);
  });

  it('loses nothing when two incidents write at once', async () => {
    await add('first');
    store.onConflict((key) => {
      store.onConflict(null);
      store.overwrite(key, canonicalJson([attack('first'), attack('theirs')]));
    });
    expect(await add('ours')).toEqual({ regressions: 3 });
    expect(await known()).toEqual([digestOf('first'), digestOf('theirs'), digestOf('ours')]);
  });

  it('gives up, and says so, when it never wins the race', async () => {
    let round = 0;
    store.onConflict((key) => {
      round += 1;
      store.overwrite(key, canonicalJson([attack(`theirs ${round}`)]));
    });
    await expect(add('ours')).rejects.toThrow(/changed 10 times/);
  });

  it('is not replaced when it cannot be read: a suite somebody broke must not be forgotten', async () => {
    store.overwrite(KEY, '[{"digest":"none"}]');
    await expect(add('ours')).rejects.toThrow();
    expect(new TextDecoder().decode(store.buckets.artifacts.get(KEY))).toBe('[{"digest":"none"}]');
  });
});
