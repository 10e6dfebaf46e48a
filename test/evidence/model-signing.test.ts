import { beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { generateKey, keyIdOf, readPublicKey } from '../../evidence/keys/key-material.ts';
import { createSigner, trustedKeyOf } from '../../evidence/keys/signer.ts';
import { compareNames, type ModelFile } from '../../evidence/model-signing/resources.ts';
import { hintOf } from '../../evidence/model-signing/bundle.ts';
import { signModel } from '../../evidence/model-signing/sign.ts';
import { ModelSignatureRefused, verifyModel } from '../../evidence/model-signing/verify.ts';
import type { TrustedKey } from '../../evidence/ports.ts';
import { sealEnvelope } from '../../evidence/statements/dsse.ts';

const VECTORS = new URL('../vectors/oms/', import.meta.url);
const vector = (name: string) => new Uint8Array(readFileSync(new URL(name, VECTORS)));
const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const signer = createSigner({ name: 'registry', privatePem: generateKey('ES256').privatePem });
const trusted = trustedKeyOf(signer, ['model']);
const single: readonly ModelFile[] = [{ name: 'model.onnx', bytes: utf8('weights') }];
const several: readonly ModelFile[] = [
  { name: 'sub/b.bin', bytes: utf8('b') },
  { name: 'a.onnx', bytes: utf8('a') },
  { name: '\u{1f600}.bin', bytes: utf8('astral') },
  { name: '\uffee.bin', bytes: utf8('in the basic plane') },
];

function check(bundle: Uint8Array, files: readonly ModelFile[], keys: readonly TrustedKey[] = [trusted]): string {
  try {
    verifyModel(bundle, files, keys, 'model');
  } catch (error) {
    return error instanceof ModelSignatureRefused ? error.check : String(error);
  }
  return 'accepted';
}

interface Parsed {
  mediaType: string;
  verificationMaterial: { publicKey: { hint: string }; tlogEntries: unknown[] };
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid: string }[] };
}
interface ParsedStatement {
  _type: string;
  subject: { name: string; digest: Record<string, string> }[];
  predicateType: string;
  predicate: {
    resources: { name: string; digest: string; algorithm: string }[];
    serialization: Record<string, unknown>;
  };
}
const parsed = (bundle: Uint8Array) => JSON.parse(text(bundle)) as Parsed;
const statementIn = (bundle: Uint8Array) =>
  JSON.parse(Buffer.from(parsed(bundle).dsseEnvelope.payload, 'base64').toString()) as ParsedStatement;

/** A bundle whose outside was changed: what anybody can do. */
const rewrapped = (bundle: Uint8Array, change: (bundle: Parsed) => unknown) =>
  utf8(JSON.stringify(change(parsed(bundle))));
/** A bundle whose statement was changed and rightly signed again: what a trusted signer with bad intent, or a bad tool, can do. */
function resigned(bundle: Uint8Array, change: (statement: ParsedStatement) => void): Uint8Array {
  const statement = statementIn(bundle);
  change(statement);
  const seal = sealEnvelope(utf8(JSON.stringify(statement)), '', (message) => signer.sign(message, { der: true }));
  return rewrapped(bundle, (outer) => ({ ...outer, dsseEnvelope: seal }));
}

describe('a model signature', () => {
  it('verifies over the files that were signed, in whatever order they are given, and names its key', () => {
    expect(verifyModel(signModel(single, signer), single, [trusted], 'model')).toEqual({
      keyId: signer.kid,
      keyName: 'registry',
    });
    expect(check(signModel(several, signer), [...several].reverse())).toBe('accepted');
  });

  it('lists the files in the order of code points, not of UTF-16 units', () => {
    const names = statementIn(signModel(several, signer)).predicate.resources.map((resource) => resource.name);
    expect(names).toEqual(['a.onnx', 'sub/b.bin', '\uffee.bin', '\u{1f600}.bin']);
    expect(names).not.toEqual([...names].sort());
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const points = (value: string) => [...value].map((letter) => letter.codePointAt(0) ?? 0);
        const [left, right] = [points(a), points(b)];
        const at = left.findIndex((point, index) => point !== right[index]);
        const expected = at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1);
        expect(Math.sign(compareNames(a, b))).toBe(Math.sign(expected));
      }),
    );
  });

  it('fails for any one changed bit of the model', () => {
    const bundle = signModel(several, signer);
    fc.assert(
      fc.property(fc.nat(several.length - 1), fc.nat(), fc.nat(7), (which, at, bit) => {
        const files = several.map((file, index) => {
          if (index !== which) return file;
          const bytes = Uint8Array.from(file.bytes);
          const place = at % bytes.length;
          bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
          return { ...file, bytes };
        });
        expect(check(bundle, files)).toBe('files-unchanged');
      }),
    );
  });

  it('fails for any one changed bit of the bundle', () => {
    const bundle = signModel(single, signer);
    fc.assert(
      fc.property(fc.nat(bundle.length - 1), fc.nat(7), (at, bit) => {
        const changed = Uint8Array.from(bundle);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(check(changed, single)).not.toBe('accepted');
      }),
      { numRuns: 1500 },
    );
  });

  it('covers exactly the files that are loaded: none may be added, left out, renamed or given twice', () => {
    const bundle = signModel(several, signer);
    const [first, ...rest] = several as [ModelFile, ...ModelFile[]];
    expect(check(bundle, [...several, { name: 'external.data', bytes: utf8('x') }])).toBe('files-all-signed');
    expect(check(bundle, rest)).toBe('files-all-present');
    expect(check(bundle, [])).toBe('files-all-present');
    expect(check(bundle, [...rest, { ...first, name: 'sub/B.bin' }])).toBe('files-all-present');
    expect(check(bundle, [...several, first])).toBe('files-given-once');
  });

  it('cannot excuse an unsigned file by ignore_paths', () => {
    const bundle = resigned(
      signModel(single, signer),
      ({ predicate }) => (predicate.serialization['ignore_paths'] = ['extra']),
    );
    expect(check(bundle, single)).toBe('accepted');
    expect(check(bundle, [...single, { name: 'extra', bytes: utf8('x') }])).toBe('files-all-signed');
  });

  it('counts only by a trusted key, for the use it is trusted for', () => {
    const bundle = signModel(single, signer);
    const stranger = createSigner({ name: 'stranger', privatePem: generateKey('ES256').privatePem });
    expect(check(signModel(single, stranger), single)).toBe('trusted-key');
    expect(check(bundle, single, [])).toBe('trusted-key');
    expect(check(bundle, single, [{ ...trusted, uses: ['dataset'] }])).toBe('key-use');
    expect(() => verifyModel(bundle, single, [trusted], 'dataset')).toThrow('registry');
    const claimed = rewrapped(signModel(single, stranger), (outer) => ({
      ...outer,
      verificationMaterial: { publicKey: { hint: hintOf(signer.publicKeyPem) }, tlogEntries: [] },
    }));
    expect(check(claimed, single)).toBe('signature');
  });

  it.each<[string, (bundle: Parsed) => unknown]>([
    ['another version', (bundle) => ({ ...bundle, mediaType: 'application/vnd.dev.sigstore.bundle.v0.4+json' })],
    [
      'a certificate instead of a key',
      (bundle) => ({ ...bundle, verificationMaterial: { certificate: { rawBytes: 'AA==' } } }),
    ],
    [
      'a certificate beside the key',
      (bundle) => ({ ...bundle, verificationMaterial: { ...bundle.verificationMaterial, certificate: {} } }),
    ],
    [
      'log entries that nobody checks',
      (bundle) => ({ ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: [{}] } }),
    ],
    ['a key of its own', (bundle) => ({ ...bundle, verificationMaterial: { publicKey: { rawBytes: 'AA==' } } })],
    [
      'another payload type',
      (bundle) => ({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payloadType: 'text/plain' } }),
    ],
    ['no signature', (bundle) => ({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, signatures: [] } })],
    [
      'a second signature',
      (bundle) => ({
        ...bundle,
        dsseEnvelope: { ...bundle.dsseEnvelope, signatures: [...bundle.dsseEnvelope.signatures, { sig: 'AA==' }] },
      }),
    ],
    [
      'a payload in loose base64',
      (bundle) => ({
        ...bundle,
        dsseEnvelope: { ...bundle.dsseEnvelope, payload: `${bundle.dsseEnvelope.payload}\n` },
      }),
    ],
    ['a member nobody knows', (bundle) => ({ ...bundle, extra: 1 })],
  ])('is refused with %s', (_what, change) => {
    expect(check(rewrapped(signModel(single, signer), change), single)).toBe('bundle-form');
  });

  it('is refused as a whole when a member is given twice', () => {
    const twice = text(signModel(single, signer)).replace('{', '{"mediaType":"x",');
    expect(check(utf8(twice), single)).toBe('bundle-form');
    expect(check(utf8('{'), single)).toBe('bundle-form');
    expect(check(new Uint8Array(), single)).toBe('bundle-form');
  });

  it.each<[string, string, (statement: ParsedStatement) => void]>([
    ['statement-form', 'another predicate', (s) => (s.predicateType = 'https://model_signing/Digests/v0.1')],
    ['statement-form', 'another statement type', (s) => (s._type = 'https://in-toto.io/Statement/v0.1')],
    ['statement-form', 'no resources', (s) => (s.predicate.resources = [])],
    ['statement-form', 'two subjects', (s) => s.subject.push({ name: 'x', digest: { sha256: 'a'.repeat(64) } })],
    [
      'statement-form',
      'a root digest by another hash',
      (s) => (s.subject = [{ name: 'x', digest: { sha512: 'a'.repeat(128) } }]),
    ],
    ['serialization', 'shards', (s) => Object.assign(s.predicate.serialization, { method: 'shards', shard_size: 10 })],
    ['serialization', 'another hash', (s) => (s.predicate.serialization['hash_type'] = 'blake2b')],
    [
      'resource-algorithm',
      'a resource by another hash',
      (s) => s.predicate.resources.forEach((r) => (r.algorithm = 'blake3')),
    ],
    [
      'resource-algorithm',
      'a digest in capitals',
      (s) => s.predicate.resources.forEach((r) => (r.digest = r.digest.toUpperCase())),
    ],
    [
      'resource-names',
      'a path out of the model',
      (s) => s.predicate.resources.forEach((r) => (r.name = `../${r.name}`)),
    ],
    ['resource-names', 'an absolute path', (s) => s.predicate.resources.forEach((r) => (r.name = `/${r.name}`))],
    ['resource-names', 'a file listed twice', (s) => s.predicate.resources.push(...s.predicate.resources.slice(-1))],
    [
      'resource-names',
      'the whole model beside other files',
      (s) =>
        s.predicate.resources.unshift({ ...(s.predicate.resources[0] ?? { digest: '', algorithm: '' }), name: '.' }),
    ],
    ['resource-names', 'files out of order', (s) => s.predicate.resources.reverse()],
    [
      'root-digest',
      'a root digest of something else',
      (s) => (s.subject = [{ name: 'x', digest: { sha256: 'a'.repeat(64) } }]),
    ],
  ])('is refused (%s) with %s, even rightly signed', (expected, _what, change) => {
    expect(check(resigned(signModel(several, signer), change), several)).toBe(expected);
  });

  it('is not made with Ed25519, without files, or over names that leave the model', () => {
    const ed = createSigner({ name: 'ed', privatePem: generateKey('EdDSA').privatePem });
    expect(() => signModel(single, ed)).toThrow('P-256');
    expect(() => signModel([], signer)).toThrow('at least one file');
    expect(() => signModel([...single, ...single], signer)).toThrow('given twice');
    for (const name of ['', '.', '..', '/a', 'a/', 'a//b', './a', 'a/../b', 'a\0', '\ud800']) {
      expect(() => signModel([{ name, bytes: utf8('x') }], signer)).toThrow('not a canonical path');
    }
  });
});

describe("the specification's schemas", () => {
  const ajv = new Ajv2020({ strict: false });
  beforeAll(() => {
    for (const name of readdirSync(new URL('schemas/', VECTORS)))
      ajv.addSchema(JSON.parse(text(vector(`schemas/${name}`))) as object);
  });
  const valid = (layer: string, value: unknown) => {
    const ok = ajv.validate(`https://model_signing/${layer}/v1.0/schema`, value);
    return ok ? [] : ajv.errors;
  };

  it.each([single, several])('hold for our bundles, layer by layer (%#)', (...files) => {
    const bundle = signModel(files as unknown as readonly ModelFile[], signer);
    expect(valid('bundle', parsed(bundle))).toEqual([]);
    expect(valid('envelope', parsed(bundle).dsseEnvelope)).toEqual([]);
    expect(valid('statement', statementIn(bundle))).toEqual([]);
    expect(valid('predicate', statementIn(bundle).predicate)).toEqual([]);
  });

  it("find fault with the specification's bad bundles, and so does the verifier", () => {
    const bad = readdirSync(new URL('spec/', VECTORS)).filter((name) => name.startsWith('invalid.'));
    expect(bad).toHaveLength(4);
    for (const name of bad)
      expect({ name, check: check(vector(`spec/${name}`), single) }).toEqual({ name, check: 'bundle-form' });
  });

  it("take the specification's good bundle, whose key nobody here trusts, and no other method than keys", () => {
    expect(valid('bundle', parsed(vector('spec/valid.key.sig')))).toEqual([]);
    expect(check(vector('spec/valid.key.sig'), single)).toBe('trusted-key');
    expect(check(vector('spec/valid.certificate.sig'), single)).toBe('bundle-form');
    expect(check(vector('spec/valid.sigstore.sig'), single)).toBe('bundle-form');
    expect(check(vector('spec/invalid-payload.wrong-predicate.sig'), single)).not.toBe('accepted');
  });
});

describe("bundles of the reference implementation in Python, 'model-signing' 1.1.1", () => {
  const publicKeyPem = text(vector('python/public.pem'));
  const kid = keyIdOf(readPublicKey(publicKeyPem));
  const keys: readonly TrustedKey[] = [{ kid, name: 'python', alg: 'ES256', publicKeyPem, uses: ['model'] }];
  const folder: readonly ModelFile[] = ['model.onnx', 'sub/labels.txt'].map((name) => ({
    name,
    bytes: vector(`python/folder/${name}`),
  }));
  const file: readonly ModelFile[] = [{ name: 'model.onnx', bytes: vector('python/single.onnx') }];

  it('verify over a folder', () => {
    expect(verifyModel(vector('python/folder.sig'), folder, keys, 'model')).toEqual({ keyId: kid, keyName: 'python' });
    expect(check(vector('python/folder.sig'), folder.slice(0, 1), keys)).toBe('files-all-present');
  });

  it('verify over a single file, which they list as "."', () => {
    expect(check(vector('python/single.sig'), file, keys)).toBe('accepted');
    expect(check(vector('python/single.sig'), [{ name: 'model.onnx', bytes: utf8('other') }], keys)).toBe(
      'files-unchanged',
    );
    expect(check(vector('python/single.sig'), [...file, { name: 'more', bytes: utf8('') }], keys)).toBe(
      'files-all-present',
    );
    expect(check(vector('python/single.sig'), [], keys)).toBe('files-all-present');
  });
});

it('the statement we sign is canonical JSON, so that equal models give equal payloads', () => {
  const payload = Buffer.from(parsed(signModel(several, signer)).dsseEnvelope.payload, 'base64').toString();
  expect(payload).toBe(canonicalJson(JSON.parse(payload)));
  expect(parsed(signModel([...several].reverse(), signer)).dsseEnvelope.payload).toBe(
    Buffer.from(payload).toString('base64'),
  );
});
