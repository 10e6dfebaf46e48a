import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ObjectRef } from '../../../domain/contracts/object-ref.ts';
import { referencesIn } from '../../../domain/incident/references.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';

const refTo = (name: string): ObjectRef => ({
  store: 'evidence',
  digest: digestOf(name),
  bytes: 1,
  mediaType: 'text/plain',
  name,
});

describe('the references in a value', () => {
  it('are found at any depth, each once, in order of appearance', () => {
    const value = { first: refTo('a'), list: [{ deep: refTo('b') }, refTo('a')], last: refTo('c'), none: null };
    expect(referencesIn(value)).toEqual([digestOf('a'), digestOf('b'), digestOf('c')]);
  });

  it('are not mere digests, nor objects whose digest has another form', () => {
    expect(referencesIn({ digest: digestOf('a') })).toEqual([]);
    expect(referencesIn({ store: 'evidence', digest: 'md5:1234' })).toEqual([]);
    expect(referencesIn({ store: 'evidence', digest: 7 })).toEqual([]);
    expect(referencesIn(digestOf('a'))).toEqual([]);
  });

  it('are none in what is not an object', () => {
    for (const value of [null, undefined, 7, 'text', true]) expect(referencesIn(value)).toEqual([]);
  });

  it('are looked for in any JSON value without an error, and in no endless depth', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void referencesIn(value)));
    let deep: unknown = refTo('a');
    for (let level = 0; level < 10_000; level += 1) deep = [deep];
    expect(referencesIn(deep)).toEqual([]);
  });
});
