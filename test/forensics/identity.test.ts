import { describe, expect, it } from '@jest/globals';
import { signatureAnalyser, type SignatureNeeds } from '../../forensics/analysers/signature.ts';
import { digestOf } from '../../domain/proofs/digest.ts';

const golden = digestOf(new Uint8Array([1]));
const other = digestOf(new Uint8Array([2]));

async function verdictOf(change: Partial<SignatureNeeds>): Promise<string> {
  const needs: SignatureNeeds = {
    servedDigest: other,
    goldenDigest: golden,
    signature: { status: 'verified', keyName: 'pipeline', keyId: 'one' },
    ownCheck: { verified: true, keyName: 'pipeline', reason: null },
    gatewayDigestMatchesBytes: true,
    registryKeys: ['registry'],
    ...change,
  };
  return (await signatureAnalyser.run(needs)).finish({}).verdict;
}

describe('who vouched for the model', () => {
  it('calls an honest signature over another artifact suspicious, which is all it can say of a poisoned pipeline', async () => {
    expect(await verdictOf({})).toBe('suspicious');
  });

  it("never calls what a stolen registry key signed clean, and cannot tell it from the registry's own", async () => {
    expect(await verdictOf({ ownCheck: { verified: true, keyName: 'registry', reason: null } })).toBe('inconclusive');
  });

  it("takes its own check over the gateway's word", async () => {
    expect(await verdictOf({ ownCheck: { verified: false, keyName: null, reason: 'changed' } })).toBe('compromised');
    expect(await verdictOf({ servedDigest: golden, gatewayDigestMatchesBytes: false })).toBe('compromised');
    expect(await verdictOf({ servedDigest: golden })).toBe('clean');
  });
});
