import { describe, expect, it } from '@jest/globals';
import type { DatasetManifest } from '../../domain/contracts/dataset.ts';
import type { LoggedRequest } from '../../domain/contracts/gateway.ts';
import type { ObjectRef } from '../../domain/contracts/object-ref.ts';
import { digestOf } from '../../domain/proofs/digest.ts';
import type { DatasetVersion, LineageNeeds } from '../../forensics/analysers/lineage.ts';
import { registry } from '../../forensics/analysers/registry.ts';
import type { SignatureNeeds } from '../../forensics/analysers/signature.ts';
import { capturedRows } from '../../forensics/analysers/window.ts';

const GOLDEN = digestOf('golden');
const OTHER = digestOf('other');

describe('the signature analyser', () => {
  const base: SignatureNeeds = {
    servedDigest: GOLDEN,
    goldenDigest: GOLDEN,
    signature: { status: 'verified', keyId: 'r', keyName: 'registry' },
    ownCheck: { verified: true, keyName: 'registry', reason: null },
    gatewayDigestMatchesBytes: true,
    registryKeys: ['registry'],
  };
  const verdict = async (change: Partial<SignatureNeeds>) =>
    (await registry.signature.run({ ...base, ...change })).finish({}).verdict;

  it('calls the golden artifact clean, and bytes that are not what the gateway reports compromised', async () => {
    expect(await verdict({})).toBe('clean');
    expect(await verdict({ gatewayDigestMatchesBytes: false })).toBe('compromised');
  });

  it('does not take the gateway’s word: a signature that fails here is compromised', async () => {
    expect(await verdict({ ownCheck: { verified: false, keyName: null, reason: 'digest differs' } })).toBe(
      'compromised',
    );
    expect(await verdict({ ownCheck: null, signature: { status: 'refused', reason: 'unsigned' } })).toBe('compromised');
    expect(await verdict({ ownCheck: null })).toBe('inconclusive');
  });

  it('suspects a model that another key than the registry’s signed, and leaves an older release open', async () => {
    const pipeline = { verified: true, keyName: 'pipeline', reason: null };
    expect(await verdict({ servedDigest: OTHER, ownCheck: pipeline })).toBe('suspicious');
    expect(await verdict({ servedDigest: OTHER })).toBe('inconclusive');
    expect(await verdict({ signature: { status: 'refused', reason: 'unknown key' } })).toBe('suspicious');
  });

  it('stays undecided when nothing was served or nothing is golden', async () => {
    expect(await verdict({ servedDigest: null })).toBe('inconclusive');
    expect(await verdict({ goldenDigest: null })).toBe('inconclusive');
  });
});

const ref = (name: string): ObjectRef => ({
  store: 'artifacts',
  digest: digestOf(name),
  bytes: 1,
  mediaType: 'application/octet-stream',
  name,
});

function version(
  name: string,
  shards: readonly [batch: string, source: string, content?: string][],
  dropped?: string,
): DatasetVersion {
  const manifest: DatasetManifest = {
    schema: 'lazaret.dataset/v1',
    name,
    parent: null,
    featureShape: [1],
    classes: ['a', 'b'],
    shards: shards.map(([batch, source, content]) => ({
      object: ref(content ?? batch),
      batch,
      source,
      ingestedAt: '2026-01-01T00:00:00Z',
      records: 10,
      recordRoot: digestOf(batch),
    })),
    exclusions: dropped ? { object: ref(dropped), count: 3 } : null,
    records: 10 * shards.length,
    createdAt: '2026-01-01T00:00:00Z',
    createdBy: 'test',
  };
  return { digest: digestOf(name), manifest };
}

describe('the lineage analyser', () => {
  const golden = version('v1', [
    ['b1', 'scanner'],
    ['b2', 'scanner'],
  ]);
  const run = async (needs: Partial<LineageNeeds>) =>
    (await registry.lineage.run({ suspectManifest: golden, goldenManifest: golden, endpoints: [], ...needs })).finish(
      {},
    );

  it('names new batches, unknown sources and every endpoint that descends from them', async () => {
    const suspect = version('v2', [
      ['b1', 'scanner'],
      ['b2', 'scanner'],
      ['b3', 'kiosk'],
    ]);
    const finding = await run({
      suspectManifest: suspect,
      endpoints: [
        { endpoint: 'a', artifact: OTHER, manifest: suspect, unknown: null },
        { endpoint: 'b', artifact: GOLDEN, manifest: golden, unknown: null },
        { endpoint: 'c', artifact: null, manifest: null, unknown: 'the endpoint did not answer' },
      ],
    });
    expect(finding).toMatchObject({
      verdict: 'suspicious',
      detail: {
        newBatches: [{ batch: 'b3', source: 'kiosk', records: 10 }],
        missingBatches: [],
        endpoints: [
          { endpoint: 'a', newBatches: ['b3'], unknown: null },
          { endpoint: 'b', newBatches: [] },
          { endpoint: 'c', dataset: null, unknown: 'the endpoint did not answer' },
        ],
      },
    });
    expect(finding.summary).toMatch(/1 endpoint descends.*source kiosk/);
  });

  it('takes a batch that was changed under its old name for a new one', async () => {
    const changed = version('v2', [
      ['b1', 'scanner'],
      ['b2', 'scanner', 'b2 changed'],
    ]);
    const finding = await run({ suspectManifest: changed });
    expect(finding).toMatchObject({
      verdict: 'inconclusive',
      detail: { newBatches: [{ batch: 'b2' }], missingBatches: ['b2'] },
    });
  });

  it('suspects a data set that brings excluded records back', async () => {
    const cleaned = version(
      'v1-clean',
      [
        ['b1', 'scanner'],
        ['b2', 'scanner'],
      ],
      'dropped',
    );
    expect(await run({ goldenManifest: cleaned })).toMatchObject({ verdict: 'suspicious' });
    expect(await run({ goldenManifest: cleaned, suspectManifest: cleaned })).toMatchObject({ verdict: 'clean' });
  });

  it('still gives the blast radius when the suspect has no provenance, and nothing without a golden data set', async () => {
    expect(await run({ suspectManifest: null })).toMatchObject({
      verdict: 'inconclusive',
      detail: { suspectDataset: null },
    });
    expect(await run({ goldenManifest: null })).toMatchObject({ verdict: 'inconclusive', detail: null });
  });
});

describe('the rows of a captured window', () => {
  const request = (id: string, change: Partial<LoggedRequest>): LoggedRequest => ({
    at: '2026-01-01T00:00:00Z',
    id,
    client: 'c',
    arm: 'live',
    model: GOLDEN,
    input: { name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] },
    output: { name: 'y', datatype: 'FP32', shape: [1, 3], data: [0, 5, 1] },
    latencyUs: 1,
    ...change,
  });

  it('are one per record, with the class that was answered', () => {
    const two = request('two', {
      input: { name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4] },
      output: { name: 'y', datatype: 'FP32', shape: [2, 3], data: [9, 0, 0, 0, 0, 9] },
    });
    expect(capturedRows([request('one', {}), two], 2, GOLDEN)).toEqual([
      { id: 'one', input: [1, 2], answered: 1 },
      { id: 'two#0', input: [1, 2], answered: 0 },
      { id: 'two#1', input: [3, 4], answered: 2 },
    ]);
  });

  it('leave out other models’ answers and requests of another width', () => {
    const odd = request('odd', { input: { name: 'x', datatype: 'FP32', shape: [3], data: [1, 2, 3] } });
    const rules = request('rules', { model: null, arm: 'fallback' });
    expect(capturedRows([odd, request('other', { model: OTHER })], 2, GOLDEN)).toEqual([]);
    expect(capturedRows([rules], 2, null)).toEqual([{ id: 'rules', input: [1, 2], answered: null }]);
  });
});
