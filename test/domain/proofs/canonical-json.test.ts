import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { canonicalJson, digestOfJson } from '../../../domain/proofs/canonical-json.ts';
import { parseStrictJson } from '../../../domain/proofs/strict-json.ts';

const wellFormed = fc.string({ unit: 'binary' });
const json = fc.jsonValue({ stringUnit: 'binary' });

describe('canonical JSON', () => {
  it('writes the example of RFC 8785, section 3.2.2', () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(input))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts members by UTF-16 code units, as RFC 8785 section 3.2.3 shows', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    // Read from the text: a parsed object would list "1" first, whatever the text says.
    const written = [...text.matchAll(/("[^"]*"):0/g)].map(([, name]) => JSON.parse(name ?? '') as string);
    expect(written).toEqual(['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']);
  });

  it('gives back the value it was given, and the same text however often it goes round', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(parseStrictJson(text))).toBe(text);
        expect(parseStrictJson(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('does not depend on the order in which members were added', () => {
    fc.assert(
      fc.property(fc.dictionary(wellFormed, fc.integer()), (members) => {
        const reversed = Object.fromEntries(Object.entries(members).reverse());
        expect(digestOfJson(reversed)).toBe(digestOfJson(members));
      }),
    );
  });

  it.each([
    ['undefined', { a: { b: undefined } }, '$.a.b'],
    ['a hole in an array', [1, , 2], '$[1]'], // eslint-disable-line no-sparse-arrays -- the attack
    ['NaN', { a: [Number.NaN] }, '$.a[0]'],
    ['infinity', -Infinity, '$'],
    ['a bigint', { a: 1n }, '$.a'],
    ['a function', { toJSON: () => 'something else' }, '$.toJSON'],
    ['a symbol', [Symbol('s')], '$[0]'],
    ['a member named by a symbol', { [Symbol('s')]: 1 }, '$'],
    ['a lone surrogate', ['\ud83d'], '$[0]'],
    ['a lone surrogate in a name', { '\udc00': 1 }, '$'],
    ['a date', { at: new Date(0) }, '$.at'],
    ['bytes', { bytes: new Uint8Array(1) }, '$.bytes'],
    ['a map', new Map(), '$'],
    ['an object that inherits members', Object.create({ a: 1 }) as object, '$'],
  ])('refuses %s and names the place', (_what, value, path) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
    expect(() => canonicalJson(value)).toThrow(path);
  });

  it('refuses a cycle', () => {
    const loop: { again?: unknown } = {};
    loop.again = loop;
    expect(() => canonicalJson(loop)).toThrow('nested deeper');
  });

  it('takes plain objects of another realm, which is where a workflow gets its input from', () => {
    expect(canonicalJson(runInNewContext('({ b: [1], a: Object.create(null) })'))).toBe('{"a":{},"b":[1]}');
  });
});

describe('strict JSON', () => {
  it.each(['{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '[{"x":{"b":1 , "b" : 1}}]', '{"__proto__":1,"__proto__":2}'])(
    'refuses a member given twice: %s',
    (text) => {
      expect(() => parseStrictJson(text)).toThrow('given twice');
    },
  );

  it('takes everything else that JSON.parse takes', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => expect(parseStrictJson(text)).toEqual(JSON.parse(text))),
    );
    expect(parseStrictJson('{"a":"\\"a\\":","b":{"a":1},"c":["a","a"]}')).toEqual({
      a: '"a":',
      b: { a: 1 },
      c: ['a', 'a'],
    });
  });
});
