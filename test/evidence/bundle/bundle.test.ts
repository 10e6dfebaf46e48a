import { createHash, createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { objectKey } from '../../../domain/contracts/object-ref.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';
import { readContainer, writeContainer } from '../../../evidence/bundle/container.ts';
import { verifyBundle, type VerificationReport } from '../../../evidence/bundle/verify.ts';
import { publicKeyOf, trustedKeyOf } from '../../../evidence/keys/signer.ts';
import type { Signer } from '../../../evidence/ports.ts';
import { loadTrustFile, trustFileOf, verificationKeyOf } from '../../../evidence/keys/trusted-keys.ts';
import { bundleOf, caseLog, machines, mallory, people, registry, trustRoot, type Twist } from './incident.ts';

const firstFailure = (report: VerificationReport) => report.checks.find((check) => !check.passed);

let bundle: Uint8Array;
beforeAll(async () => {
  bundle = await bundleOf();
});

describe('the bundle of an incident', () => {
  it("keeps every promise, with the organisation's keys and with its own", () => {
    for (const given of [{ trust: machines }, { trust: machines, people: trustRoot }, {}]) {
      const report = verifyBundle(bundle, given);
      expect(report.checks.filter((check) => !check.passed)).toEqual([]);
      expect(report.ok).toBe(true);
      expect(report.trust).toBe('trust' in given ? 'given' : 'bundle');
    }
  });

  it('says what it is about and by whose keys, so that a stranger can compare them', () => {
    const report = verifyBundle(bundle);
    expect(report.case).toMatchObject({ incident: 'camera-0a1b2c3d', outcome: 'repaired', head: { size: 9 } });
    const key = (signer: Signer, name: string, holder: string, uses: readonly string[]) => {
      const der = createPublicKey(signer.publicKeyPem).export({ type: 'spki', format: 'der' });
      const fingerprint = `SHA256:${createHash('sha256').update(der).digest('hex')}`;
      return { holder, name, kid: signer.kid, uses, fingerprint };
    };
    expect(report.fingerprints).toEqual([
      key(caseLog, 'case-log', 'machine', ['case-log', 'bundle']),
      key(registry, 'registry', 'machine', ['model', 'dataset', 'provenance', 'golden']),
      key(people.ada, 'Ada', 'person', ['security-lead', 'on-call']),
      key(people.bo, 'Bo', 'person', ['model-owner']),
    ]);
  });

  it('lists what it leaves out: training records stay in the store', () => {
    expect(verifyBundle(bundle).absent).toEqual([expect.objectContaining({ named: 'object', reason: 'data-records' })]);
  });

  it('holds what the log names and what that names in turn', () => {
    const opened = readContainer(bundle);
    const files = 'files' in opened ? [...opened.files.keys()] : [];
    expect(files).toContain(`objects/${digestOf('{"id":"1"}\n').slice(7)}`);
    expect(files.filter((file) => file.startsWith('log/'))).toHaveLength(9);
  });
});

describe('one flipped bit', () => {
  const flipped = (at: number) => {
    const copy = Uint8Array.from(bundle);
    copy[at >> 3]! ^= 1 << (at & 7);
    return copy;
  };
  /** The entry whose header, content or padding a byte belongs to. */
  const entryAt = (byte: number) => {
    const opened = readContainer(bundle);
    if (!('files' in opened)) throw new Error('the bundle is broken');
    for (const [name, content] of opened.files) {
      const start = content.byteOffset - bundle.byteOffset;
      if (byte < start) return { name, where: 'header' };
      if (byte < start + content.length) return { name, where: 'content' };
      if (byte < start + Math.ceil(content.length / 512) * 512) return { name, where: 'padding' };
    }
    return { name: 'the end mark', where: 'end' };
  };

  it('anywhere makes it fail, and the place is named', () => {
    fc.assert(
      fc.property(fc.nat(bundle.length * 8 - 1), (at) => {
        const report = verifyBundle(flipped(at));
        expect(report.ok).toBe(false);
        const { name, where } = entryAt(at >> 3);
        const failure = firstFailure(report);
        // A name that is not one any more can only be told by what stands before it.
        if (where === 'header') expect(failure?.id).toBe('container');
        else expect(failure?.place).toBe(name);
      }),
      { numRuns: 400 },
    );
  });

  it('in every byte of the keys, the signature, the manifest and the checkpoint makes it fail there', () => {
    const opened = readContainer(bundle);
    if (!('files' in opened)) throw new Error('the bundle is broken');
    for (const name of ['keys.json', 'manifest.jws', 'manifest.json', 'checkpoint.txt', 'case.json']) {
      const content = opened.files.get(name)!;
      const start = content.byteOffset - bundle.byteOffset;
      for (let byte = 0; byte < content.length; byte += 29) {
        const report = verifyBundle(flipped((start + byte) * 8 + (byte % 8)));
        expect(firstFailure(report)?.place).toBe(name);
      }
    }
  });

  it('in the end mark, and a byte more or less, makes it fail', () => {
    expect(verifyBundle(flipped(bundle.length * 8 - 1)).ok).toBe(false);
    expect(verifyBundle(bundle.subarray(0, -1)).ok).toBe(false);
    expect(verifyBundle(Uint8Array.from([...bundle, 0])).ok).toBe(false);
  });

  it("fails with the organisation's keys too", () => {
    fc.assert(
      fc.property(
        fc.nat(bundle.length * 8 - 1),
        (at) => !verifyBundle(flipped(at), { trust: machines, people: trustRoot }).ok,
      ),
      { numRuns: 100 },
    );
  });
});

describe('somebody who makes up a bundle', () => {
  it("is told from the station by the organisation's keys", () => {
    const others = trustFileOf([trustedKeyOf(mallory, ['case-log', 'bundle', 'vouch'])]);
    const report = verifyBundle(bundle, { trust: others });
    expect(firstFailure(report)).toMatchObject({ id: 'manifest-signature', place: 'manifest.jws' });
  });

  it('cannot use a key that is trusted for something else', () => {
    const narrowed = { ...machines, keys: machines.keys.map((key) => ({ ...key, uses: ['model' as const] })) };
    expect(firstFailure(verifyBundle(bundle, { trust: narrowed }))?.id).toBe('manifest-signature');
  });

  it('cannot add, drop, rename or reorder a file, also with a canonical container around it', () => {
    const opened = readContainer(bundle);
    if (!('files' in opened)) throw new Error('the bundle is broken');
    const packed = (change: (files: Map<string, Uint8Array>) => void) => {
      const files = new Map(opened.files);
      change(files);
      return new Uint8Array(Buffer.concat([...writeContainer(files)]));
    };
    const extra = verifyBundle(packed((files) => files.set('log/00000009.json', new Uint8Array())));
    expect(firstFailure(extra)).toMatchObject({ id: 'file-set', place: 'log/00000009.json' });
    const dropped = verifyBundle(packed((files) => files.delete('log/00000004.json')));
    expect(firstFailure(dropped)).toMatchObject({ id: 'file-set', place: 'log/00000004.json' });
    const swapped = verifyBundle(
      packed((files) => {
        const [a, b] = [files.get('log/00000003.json')!, files.get('log/00000004.json')!];
        files.set('log/00000003.json', b).set('log/00000004.json', a);
      }),
    );
    expect(firstFailure(swapped)).toMatchObject({ id: 'file-digests', place: 'log/00000003.json' });
  });

  it('gets a report for any bytes, and never an exception', () => {
    const opened = readContainer(bundle);
    if (!('files' in opened)) throw new Error('the bundle is broken');
    const names = [...opened.files.keys()];
    expect(verifyBundle(new Uint8Array()).ok).toBe(false);
    expect(verifyBundle(new Uint8Array(1024)).ok).toBe(false);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => !verifyBundle(bytes).ok));
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.oneof(
          fc.json().map((text) => new TextEncoder().encode(text)),
          fc.uint8Array(),
        ),
        (name, content) => {
          const files = new Map(opened.files).set(name, content);
          return !verifyBundle(new Uint8Array(Buffer.concat([...writeContainer(files)]))).ok;
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('a station that signs what is not so', () => {
  const twisted = async (twist: Twist) => {
    const report = verifyBundle(await bundleOf(twist), { trust: machines, people: trustRoot });
    expect(report.ok).toBe(false);
    return firstFailure(report);
  };
  const ada = { person: 'ada', role: 'security-lead', by: people.ada };
  const bo = { person: 'bo', role: 'model-owner', by: people.bo };

  it.each<[string, Twist, string, RegExp]>([
    ['one approval', { approve: [ada] }, 'release-gate', /lacks an approval by model-owner/],
    ['one person twice', { approve: [ada, { ...ada }] }, 'release-gate', /lacks an approval/],
    ['a forged approval', { approve: [ada, { ...bo, by: mallory }] }, 'decisions', /not trusted/],
    [
      "an approval in another's name",
      { approve: [ada, { ...bo, by: people.ada }] },
      'decisions',
      /does not belong to bo/,
    ],
    ['a role that is not held', { approve: [ada, { ...bo, role: 'security-lead' }] }, 'decisions', /does not hold/],
    [
      'approvals of another digest',
      { approve: [ada, { ...bo, change: { digest: digestOf('old') } }] },
      'release-gate',
      /lacks an approval/,
    ],
    [
      'an approval of another incident',
      { approve: [ada, { ...bo, change: { incident: 'other' } }] },
      'decisions',
      /another incident/,
    ],
    [
      'a nonce used twice',
      { approve: [ada, { ...bo, change: { nonce: 'nonce-0123456789-0' } }] },
      'decisions',
      /handed in before/,
    ],
    [
      'a stale approval',
      { approve: [ada, { ...bo, change: { issuedAt: '2026-01-01T00:00:00Z' } }] },
      'decisions',
      /too old/,
    ],
    ['a release bound to another log', { subject: { evidenceRoot: '0'.repeat(64) } }, 'release-gate', /have the root/],
    [
      'a release of another artifact',
      { subject: { artifact: digestOf('other') } },
      'release-gate',
      /what was signed is/,
    ],
    ['a validation that failed', { report: { verdict: 'fail' } }, 'release-gate', /verdict is fail/],
    [
      'a validation of another incident',
      { report: { incident: 'other' } },
      'release-gate',
      /another incident or artifact/,
    ],
    ['a model signed by an untrusted key', { modelSigner: people.bo }, 'model-signature', /not trusted/],
    [
      'a model changed after signing',
      { signedBytes: new Uint8Array(3) },
      'model-signature',
      /not the one that was signed/,
    ],
    ['no provenance', { provenance: 'none' }, 'provenance', /has to have a provenance/],
    ['a provenance of another artifact', { provenance: 'other-artifact' }, 'provenance', /the provenance is that of/],
    [
      'a training on another data set',
      { provenance: 'other-dataset' },
      'provenance',
      /which this incident did not make/,
    ],
    ['no release for a repair', { exported: { release: null } }, 'release-gate', /no release is given/],
    ['another outcome', { exported: { outcome: 'restored' } }, 'case-agrees', /the log says repaired/],
  ])('is caught with %s', async (_what, twist, id, detail) => {
    const failure = await twisted(twist);
    expect(failure).toMatchObject({ id, detail: expect.stringMatching(detail) });
  });

  it('cannot make a service speak for a person: vouchers come from the trusted machines', async () => {
    const vouched = { ...bo, by: mallory, change: { vouchedBy: mallory.kid } };
    const trust = { ...trustRoot, vouchers: [verificationKeyOf(publicKeyOf(mallory))] };
    const made = await bundleOf({ approve: [ada, vouched], people: trust });
    expect(firstFailure(verifyBundle(made, { trust: machines }))).toMatchObject({ id: 'decisions' });
    expect(firstFailure(verifyBundle(made))).toMatchObject({ id: 'decisions' });
    const known = trustFileOf([...loadTrustFile(machines), trustedKeyOf(mallory, ['vouch'])]);
    expect(verifyBundle(made, { trust: known }).ok).toBe(true);
  });

  it('is caught with a decision that nobody signed', async () => {
    const failure = await twisted({
      entries: (entries) => entries.map((entry) => (entry.actor === 'bo' ? { ...entry, statement: null } : entry)),
    });
    expect(failure).toMatchObject({ id: 'decisions', place: 'log/00000006.json' });
  });

  it('is caught with a decision put into another mouth', async () => {
    const failure = await twisted({
      entries: (entries) => entries.map((entry) => (entry.actor === 'bo' ? { ...entry, actor: 'cy' } : entry)),
    });
    expect(failure).toMatchObject({ id: 'decisions', detail: expect.stringMatching(/the signed statement says bo/) });
  });

  it('is caught with a release before the second approval', async () => {
    const failure = await twisted({
      entries: (entries) => {
        const moved = [...entries];
        [moved[6], moved[7]] = [entries[7]!, entries[6]!];
        return moved.map((entry, seq) => ({
          ...entry,
          seq,
          at: entries[seq]!.at,
          ...(seq === 7 ? { at: entry.at } : {}),
        }));
      },
    });
    expect(failure).toMatchObject({
      id: 'release-gate',
      place: 'log/00000006.json',
      detail: expect.stringMatching(/before entry 7/),
    });
  });

  it.each([
    ['missing', (bytes: Map<string, Uint8Array>, key: string) => void bytes.delete(key), /does not have it/],
    ['changed', (bytes: Map<string, Uint8Array>, key: string) => void bytes.set(key, new Uint8Array(3)), /other bytes/],
  ])('is caught with evidence %s, and the bundle says which', async (_what, tamper, detail) => {
    const receipt = '"schema":"receipt"';
    const failure = await twisted({
      tamper: ({ buckets }) => {
        for (const [key, bytes] of buckets.evidence)
          if (Buffer.from(bytes).includes(receipt)) tamper(buckets.evidence, key);
      },
    });
    expect(failure).toMatchObject({
      id: 'log-objects',
      place: 'log/00000001.json',
      detail: expect.stringMatching(detail),
    });
  });

  it('does not fail for what only an object names; it is listed', async () => {
    const twist: Twist = { tamper: ({ buckets }) => void buckets.evidence.delete(objectKey(digestOf('{"id":"1"}\n'))) };
    const report = verifyBundle(await bundleOf(twist));
    expect(report.ok).toBe(true);
    expect(report.absent).toContainEqual(expect.objectContaining({ named: 'object', reason: 'not-in-store' }));
  });

  it('may put the golden model back without a provenance, and close without a release', async () => {
    const closing = (outcome: string) => (entries: Parameters<NonNullable<Twist['entries']>>[0]) =>
      entries.map((entry) => (entry.step === 'close' ? { ...entry, summary: `outcome: ${outcome}` } : entry));
    const restored = await bundleOf({
      provenance: 'none',
      entries: closing('restored'),
      exported: { outcome: 'restored' },
    });
    expect(verifyBundle(restored).checks.filter((check) => !check.passed)).toEqual([]);
    const cancelled = await bundleOf({
      entries: closing('cancelled'),
      exported: { outcome: 'cancelled', release: null },
    });
    expect(verifyBundle(cancelled).ok).toBe(true);
  });
});
