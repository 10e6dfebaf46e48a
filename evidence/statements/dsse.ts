import { z } from 'zod';
import { decodeBase64, encodeBase64 } from '../../domain/proofs/base64.ts';

/** Dead Simple Signing Envelope v1.0 (secure-systems-lab/dsse, protocol.md and envelope.md), with in-toto as the only payload. */
export const IN_TOTO_PAYLOAD = 'application/vnd.in-toto+json';

export const envelopeSchema = z.strictObject({
  payload: z.string().min(1),
  payloadType: z.literal(IN_TOTO_PAYLOAD),
  // The protocol allows several; what the station signs has one signer, and "any of these" is a door an attacker can add to.
  signatures: z.tuple([z.strictObject({ sig: z.string().min(1), keyid: z.string().max(200).nullish() })]),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** What is signed: `DSSEv1 <length of type> <type> <length of payload> <payload>`, lengths in bytes. */
export function preAuthenticationEncoding(payload: Uint8Array): Uint8Array {
  const type = new TextEncoder().encode(IN_TOTO_PAYLOAD);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${IN_TOTO_PAYLOAD} ${payload.length} `), payload]);
}

/** Closes an envelope over a payload. `sign` gets the encoded bytes; `keyid` is a hint, never trusted. */
export function sealEnvelope(payload: Uint8Array, keyid: string, sign: (message: Uint8Array) => Uint8Array): Envelope {
  return {
    payload: encodeBase64(payload),
    payloadType: IN_TOTO_PAYLOAD,
    signatures: [{ sig: encodeBase64(sign(preAuthenticationEncoding(payload))), keyid }],
  };
}

/** Payload, signed bytes and signature of an envelope, not yet verified. Throws TypeError on text that is not strict base64. */
export function openEnvelope(envelope: Envelope): { payload: Uint8Array; message: Uint8Array; signature: Uint8Array } {
  const payload = decodeBase64(envelope.payload);
  return { payload, message: preAuthenticationEncoding(payload), signature: decodeBase64(envelope.signatures[0].sig) };
}
