import { X509Certificate, verify } from 'node:crypto';
import { z } from 'zod';
import { moment } from '../source.ts';

const common = {
  MessageId: z.string().min(1).max(200),
  TopicArn: z.string().max(512),
  Message: z.string(),
  Timestamp: moment,
  SignatureVersion: z.enum(['1', '2']),
  Signature: z.string().max(2048),
  SigningCertURL: z.string().max(512),
};

/** What SNS posts over HTTPS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
export const envelopeSchema = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), Subject: z.string().nullish(), ...common }),
  z.object({
    Type: z.enum(['SubscriptionConfirmation', 'UnsubscribeConfirmation']),
    SubscribeURL: z.string().max(2048),
    Token: z.string().max(2048),
    ...common,
  }),
]);
export type Envelope = z.output<typeof envelopeSchema>;

/** Hosts of SNS itself; `HOST` pins certificates and confirmations to them, whatever a message says. */
const HOST = /^sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?$/;
const CERTIFICATE_PATH = /^\/SimpleNotificationService-[0-9a-f]{16,64}\.pem$/;

/** Is it an address at SNS, over HTTPS on its own port and with no credential in it? */
export function isSnsAddress(text: string, what: 'certificate' | 'confirmation'): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, port, username, password, pathname, search } = new URL(text);
  const isThere =
    protocol === 'https:' && port === '' && username === '' && password === '' && HOST.test(hostname.toLowerCase());
  return isThere && (what === 'confirmation' || (CERTIFICATE_PATH.test(pathname) && search === ''));
}

/** The names and values that are signed, in the order of their names, each on a line. */
export function stringToSign(envelope: Envelope): string {
  const { MessageId, TopicArn, Message, Timestamp, Type } = envelope;
  const signed: Record<string, string> =
    envelope.Type === 'Notification'
      ? { MessageId, TopicArn, Message, Timestamp, Type, ...(envelope.Subject ? { Subject: envelope.Subject } : {}) }
      : { MessageId, TopicArn, Message, Timestamp, Type, SubscribeURL: envelope.SubscribeURL, Token: envelope.Token };
  return Object.keys(signed)
    .sort()
    .map((name) => `${name}\n${signed[name]}\n`)
    .join('');
}

/**
 * RSA over the string to sign, with SHA-1 (SignatureVersion 1) or SHA-256 (2):
 * https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
 * The certificate is trusted for where it came from, over TLS; it MUST be valid at `at` and hold an RSA key of 2048 bits or more.
 */
export function isSignedBy(envelope: Envelope, pem: string, at: Date): boolean {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return false;
  }
  const { publicKey, validFromDate, validToDate } = certificate;
  if (at < validFromDate || at > validToDate) return false;
  if (publicKey.asymmetricKeyType !== 'rsa') return false;
  if ((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return false;
  const signature = Buffer.from(envelope.Signature, 'base64');
  const hash = envelope.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return verify(hash, Buffer.from(stringToSign(envelope), 'utf8'), publicKey, signature);
}
