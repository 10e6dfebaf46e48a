import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { NOW } from './fakes.ts';

/** Secrets of the senders, as they would stand in the environment. */
export const SECRETS = {
  grafana: 'grafana-hmac-7Yd2pQ9sLm41',
  pagerduty: 'pagerduty-3kVb8ZxT0qWn55',
  github: 'github-Rt6yUj1mNb7vCx20',
  mlflow: 'mlflow-9OiKuJyHtGrFe31',
  datadog: 'datadog-2WsXcDeRfVbGt88',
  falco: 'falco-5TgBnHyUjMkIo66',
  kserve: 'kserve-1QaZwSxEdCrFv77',
} as const;
export const STANDARD_KEY = Buffer.from('fedcba9876543210fedcba9876543210');
export const STANDARD_SECRET = `whsec_${STANDARD_KEY.toString('base64')}`;

export const seconds = (offset = 0): string => String(NOW.getTime() / 1000 + offset);
export const vector = (path: string): string => readFileSync(`test/vectors/alerts/${path}`, 'utf8').trimEnd();

const hmac = (key: string | Buffer, text: string, encoding: 'hex' | 'base64'): string =>
  createHmac('sha256', key).update(text, 'utf8').digest(encoding);

/** What each sender puts beside its body, written down from the vendors' pages and not from our verifier. */
export const senders = {
  grafana: (body: string, at = seconds()) => ({
    'x-grafana-alerting-signature': hmac(SECRETS.grafana, `${at}:${body}`, 'hex'),
    'x-grafana-alerting-signature-timestamp': at,
  }),
  pagerduty: (body: string) => ({
    'x-pagerduty-signature': `v1=${'0'.repeat(64)},v1=${hmac(SECRETS.pagerduty, body, 'hex')}`,
    'x-webhook-id': '0e8d3f0c-6d4d-4b6e-9d5e-1e8a5e8b0a11',
  }),
  github: (body: string, event = 'code_scanning_alert') => ({
    'x-hub-signature-256': `sha256=${hmac(SECRETS.github, body, 'hex')}`,
    'x-github-event': event,
    'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  }),
  mlflow: (body: string, at = seconds(), id = '2f1c6f0e-5b0e-4f39-9a2e-3f2f0a6b7c11') => ({
    'x-mlflow-signature': `v1,${hmac(SECRETS.mlflow, `${id}.${at}.${body}`, 'base64')}`,
    'x-mlflow-delivery-id': id,
    'x-mlflow-timestamp': at,
  }),
  standard: (body: string, at = seconds(), id = 'msg_2Lh9KRb0pzN4LePd3XiA4v12Axj') => ({
    'webhook-signature': `v1,${hmac(STANDARD_KEY, `${id}.${at}.${body}`, 'base64')}`,
    'webhook-id': id,
    'webhook-timestamp': at,
  }),
  bearer: (token: string) => ({ authorization: `Bearer ${token}` }),
  basic: (token: string) => ({ authorization: `Basic ${Buffer.from(`lazaret:${token}`).toString('base64')}` }),
};
