import type { Finding, FindingVerdict } from '../../domain/contracts/finding.ts';
import type { SignatureStatus } from '../../domain/contracts/gateway.ts';
import type { Digest } from '../../domain/proofs/digest.ts';
import { analysis, inconclusive, type Analyser } from './analyser.ts';

export interface SignatureNeeds {
  /** Digest the gateway reports for the bytes it had loaded; null where no model answered. */
  readonly servedDigest: Digest | null;
  readonly goldenDigest: Digest | null;
  /** The gateway's word. It may be compromised too, so it is compared with our own check. */
  readonly signature: SignatureStatus | null;
  /** Our own check of the captured bytes against the captured bundle; null where either is missing. */
  readonly ownCheck: {
    readonly verified: boolean;
    readonly keyName: string | null;
    readonly reason: string | null;
  } | null;
  /** Do the captured bytes have the digest that the gateway reported? null where no bytes were captured. */
  readonly gatewayDigestMatchesBytes: boolean | null;
  /** Names of the keys that the golden registry signs models with. */
  readonly registryKeys: readonly string[];
}

const asked = {
  analyser: 'signature',
  question: 'Was what answered the model that the registry signed?',
} as const;

export const signatureAnalyser: Analyser<SignatureNeeds> = {
  name: asked.analyser,
  question: asked.question,
  run: async (needs) => analysis(judge(needs)),
};

function judge(needs: SignatureNeeds): Finding {
  const { servedDigest, goldenDigest, signature, ownCheck } = needs;
  if (servedDigest === null) return inconclusive(asked, 'No model was loaded when the endpoint was captured.');
  if (goldenDigest === null)
    return inconclusive(asked, 'No golden model is registered to compare the served one with.');
  const signedBy = ownCheck?.keyName ?? (signature?.status === 'verified' ? signature.keyName : null);

  const answer = (verdict: FindingVerdict, summary: string, reason: string | null = null): Finding => ({
    ...asked,
    verdict,
    confidence: null,
    summary,
    detail: { analyser: 'signature', served: servedDigest, golden: goldenDigest, signedBy, reason },
    failure: null,
  });

  if (needs.gatewayDigestMatchesBytes === false)
    return answer(
      'compromised',
      'The captured bytes are not the ones the gateway says it had loaded.',
      'digest mismatch',
    );
  if (ownCheck === null) {
    const reason = signature?.status === 'refused' ? signature.reason : 'no bytes or no signature were captured';
    return signature?.status === 'refused'
      ? answer('compromised', `The served model carries no valid signature: ${reason}.`, reason)
      : answer('inconclusive', `The signature could not be checked here: ${reason}.`, reason);
  }
  if (!ownCheck.verified) {
    const reason = ownCheck.reason ?? 'the signature does not verify';
    return answer(
      'compromised',
      signature?.status === 'verified'
        ? `The gateway accepted the model, but its signature does not verify here: ${reason}.`
        : `The served model carries no valid signature: ${reason}.`,
      reason,
    );
  }
  if (signature?.status === 'refused')
    return answer(
      'suspicious',
      `The signature verifies here, but the gateway refused it: ${signature.reason}. Their trusted keys differ.`,
      signature.reason,
    );
  if (servedDigest === goldenDigest)
    return answer('clean', `The served model is the golden artifact, signed by ${signedBy ?? 'a trusted key'}.`);
  const key = signedBy ?? 'an unnamed key';
  if (needs.registryKeys.includes(key))
    return answer(
      'inconclusive',
      `The served model is signed by ${key}, but is not the artifact of the golden record.`,
    );
  return answer(
    'suspicious',
    `The served model is validly signed by ${key}, but is not the golden artifact: whoever controls that key deployed it.`,
  );
}
