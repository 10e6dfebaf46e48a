import { parsed, parseJson } from '../../body.ts';
import { Problem } from '../../problem.ts';
import { staleness } from '../proofs.ts';
import { envelopeSchema, isSignedBy, isSnsAddress, type Envelope } from '../sns/envelope.ts';
import { alertOfMessage, messageSchema } from '../sns/messages.ts';
import type { AlertSource, Delivery, Reading, SourcePorts, Verdict } from '../source.ts';

/** The longest a policy of SNS lets it repeat a delivery over HTTPS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html */
const WINDOW_SECONDS = 60 * 60;

/** The signature is inside the body, so the envelope is read before it is believed. The message in it is read after. */
function envelopeOf(delivery: Delivery): Envelope | null {
  try {
    return envelopeSchema.safeParse(parseJson(delivery.raw)).data ?? null;
  } catch {
    return null;
  }
}

/** Anybody can have SNS sign a message of a topic of their own: the topic MUST be one that is configured, and is asked for first. */
export async function verifySns(delivery: Delivery, sns: SourcePorts['sns']): Promise<Verdict> {
  if (!sns || sns.topics.length === 0) return { ok: false, why: 'No topic is configured for this source.' };
  const envelope = envelopeOf(delivery);
  if (!envelope) return { ok: false, why: 'The body is no signed message of Amazon SNS.' };
  if (!sns.topics.includes(envelope.TopicArn)) return { ok: false, why: 'The topic is not one that is listened to.' };
  if (!isSnsAddress(envelope.SigningCertURL, 'certificate')) {
    return { ok: false, why: 'The signing certificate is not at Amazon SNS.' };
  }
  const stale = staleness(Date.parse(envelope.Timestamp) / 1000, delivery.receivedAt.getTime(), WINDOW_SECONDS);
  if (stale !== null) return { ok: false, why: stale };
  let pem: string;
  try {
    pem = await sns.certificate(envelope.SigningCertURL);
  } catch (cause) {
    throw new Problem('unavailable', 'The signing certificate cannot be fetched now.', {}, { cause });
  }
  return isSignedBy(envelope, pem, delivery.receivedAt)
    ? { ok: true, id: envelope.MessageId }
    : { ok: false, why: 'The signature does not match.' };
}

async function readSns(delivery: Delivery, sns: SourcePorts['sns']): Promise<Reading> {
  const envelope = parsed(parseJson(delivery.raw), envelopeSchema, 'message');
  if (envelope.Type === 'SubscriptionConfirmation') {
    if (!isSnsAddress(envelope.SubscribeURL, 'confirmation')) {
      throw new Problem('malformed-request', 'SubscribeURL is not at Amazon SNS.');
    }
    try {
      await sns?.confirm(envelope.SubscribeURL);
    } catch (cause) {
      throw new Problem('unavailable', 'The subscription cannot be confirmed now.', {}, { cause });
    }
    return { claims: [], ignored: `The subscription to ${envelope.TopicArn} is confirmed.` };
  }
  if (envelope.Type === 'UnsubscribeConfirmation') return { claims: [], ignored: 'The subscription was cancelled.' };
  const alert = alertOfMessage(parsed(parseJson(Buffer.from(envelope.Message)), messageSchema, 'message'));
  if (!alert) return { claims: [], ignored: 'The message is about nothing that was violated, or is over.' };
  const labels = { ...alert.labels, topic: envelope.TopicArn, message: envelope.MessageId };
  return { claims: [{ ...alert, labels, severity: null, body: envelope.Message }] };
}

export const sns: AlertSource = {
  name: 'sns',
  summary: 'SageMaker Model Monitor and CloudWatch alarms, by EventBridge and Amazon SNS',
  proof:
    "SNS's RSA signature (version 1 or 2) with a certificate at sns.<region>.amazonaws.com, of a topic of LAZARET_SNS_TOPICS. A subscription to such a topic is confirmed.",
  challenge: 'AmazonSNS',
  schema: envelopeSchema,
  verify: (delivery, ports) => verifySns(delivery, ports.sns),
  read: (delivery, _id, ports) => readSns(delivery, ports.sns),
};
