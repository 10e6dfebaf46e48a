import { z } from 'zod';
import { kindOf, severityOf } from '../../../domain/incident/alert-mapping.ts';
import { NOT_CONFIGURED } from '../proofs.ts';
import { jsonSource, moment, type Delivery, type Verdict } from '../source.ts';
import { verifyWebhook } from '../standard-webhooks.ts';

/**
 * An event of MLflow's model registry: https://mlflow.org/docs/latest/ml/webhooks/ (mlflow/webhooks/types.py and delivery.py of
 * https://github.com/mlflow/mlflow).
 */
const mlflowSchema = z.object({
  entity: z.string().max(100),
  action: z.string().max(100),
  timestamp: moment,
  data: z.object({
    name: z.string().max(500).optional(),
    version: z.string().max(100).optional(),
    key: z.string().max(250).optional(),
    value: z.string().max(5000).optional(),
  }),
});

/** The tag of a model version that says an alert; its value is a kind, a severity, or both: `poisoning critical`. */
const ALERT_TAG = 'lazaret.alert';

/** `X-MLflow-Signature: v1,<base64>` of HMAC-SHA256 over `delivery-id.timestamp.body`; the key is the text of the secret. */
export function verifyMlflow(delivery: Delivery, secret: string | null | undefined): Verdict {
  if (!secret) return NOT_CONFIGURED;
  const headers = {
    id: delivery.header('x-mlflow-delivery-id'),
    timestamp: delivery.header('x-mlflow-timestamp'),
    signature: delivery.header('x-mlflow-signature'),
  };
  if (Object.values(headers).includes(undefined)) {
    return { ok: false, why: 'Send X-MLflow-Signature, X-MLflow-Delivery-Id and X-MLflow-Timestamp.' };
  }
  return verifyWebhook(Buffer.from(secret, 'utf8'), headers, delivery.raw, delivery.receivedAt.getTime());
}

/**
 * Registering, tagging and promoting models is what a registry is for: none of it is an alert by itself, and an alert contains an endpoint. So
 * only the tag that says so raises one, and taking it off resolves it.
 */
export const mlflow = jsonSource({
  name: 'mlflow',
  summary: `A tag ${ALERT_TAG} on a model version, as a webhook of MLflow's registry tells it`,
  proof: 'X-MLflow-Signature: v1,<base64 HMAC-SHA256 of delivery-id.timestamp.body>.',
  challenge: 'MLflow',
  schema: mlflowSchema,
  verify: (delivery, { credentials }) => verifyMlflow(delivery, credentials.mlflow),
  claims: ({ entity, action, timestamp, data }, { delivery, id = '' }) => {
    if (entity !== 'model_version_tag' || data.key !== ALERT_TAG || !['set', 'deleted'].includes(action)) {
      return {
        claims: [],
        ignored: `Only the tag ${ALERT_TAG} of a model version is an alert, not ${entity} ${action}.`,
      };
    }
    const { name = '', version = '', value = '' } = data;
    const words = value.split(/[\s,]+/).filter((word) => word !== '');
    return {
      claims: [
        {
          id,
          about: { names: [name] },
          kind:
            words.map((kind) => kindOf({ kind })).find((kind) => kind !== 'unknown') ?? kindOf({ alertname: value }),
          status: action === 'set' ? 'firing' : 'resolved',
          severity: words.map((severity) => severityOf({ severity })).find((severity) => severity !== null) ?? null,
          title: `Version ${version} of ${name} in MLflow is marked: ${value || 'the mark was taken off'}`,
          labels: { model: name, version, tag: value },
          startsAt: timestamp,
          body: delivery.raw.toString('utf8'),
        },
      ],
    };
  },
});
