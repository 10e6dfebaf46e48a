import type { Alert } from '../../domain/contracts/alert.ts';
import { configurationWith } from './fakes.ts';
import { SECRETS, STANDARD_SECRET, seconds, senders, vector } from './senders.ts';

export type Headers = Record<string, string>;

export interface Sender {
  readonly source: Alert['source'];
  readonly body: string;
  readonly type?: string;
  /** What it sends beside its proof. */
  readonly headers?: Headers;
  readonly sign: (body: string) => Headers;
  /** The same body, proven for a moment that is too old; null where the sender proves no time. */
  readonly stale: ((body: string) => Headers) | null;
  /** A body that says it happened too long ago, for senders whose proof covers no other time. */
  readonly old?: (body: string) => string;
  readonly alert: Partial<Alert>;
}

export const SENDERS: readonly Sender[] = [
  {
    source: 'grafana',
    body: vector('grafana/firing.json'),
    sign: senders.grafana,
    stale: (body) => senders.grafana(body, seconds(-301)),
    alert: {
      endpoint: 'signs',
      kind: 'drift',
      status: 'firing',
      claimedSeverity: 'critical',
      title: 'signs is less sure than it was',
      deliveryId: 'c6eadffa33fcdf37:firing:2026-06-01T13:51:03.157076+02:00',
    },
  },
  {
    source: 'pagerduty',
    body: vector('pagerduty/triggered.json'),
    sign: senders.pagerduty,
    stale: null,
    old: (body) => body.replace('"occurred_at":"2026-06-01T11:58', '"occurred_at":"2026-06-01T10:58'),
    alert: {
      endpoint: 'signs',
      kind: 'extraction',
      claimedSeverity: 'critical',
      title: 'Extraction suspected: one client asks for half of the traffic',
      deliveryId: '5ac64822-4adc-4fda-ade0-410becf0de4f',
    },
  },
  {
    source: 'github',
    body: vector('github/code-scanning.json'),
    sign: senders.github,
    stale: null,
    old: (body) => body.replaceAll('2026-06-01', '2026-05-28'),
    alert: {
      endpoint: 'lanes',
      kind: 'poisoning',
      claimedSeverity: 'critical',
      title: 'CodeQL: Backdoor in a pickled model',
    },
  },
  {
    source: 'cloudevents',
    body: vector('cloudevents/structured.json'),
    type: 'application/cloudevents+json; charset=utf-8',
    sign: senders.standard,
    stale: (body) => senders.standard(body, seconds(-301)),
    alert: {
      endpoint: 'signs',
      kind: 'drift',
      claimedSeverity: 'medium',
      title: 'Confidence is 0.2 below the golden profile',
      startsAt: '2026-06-01T11:59:30Z',
    },
  },
  {
    source: 'mlflow',
    body: vector('mlflow/tag-set.json'),
    sign: senders.mlflow,
    stale: (body) => senders.mlflow(body, seconds(301)),
    alert: {
      endpoint: 'signs',
      kind: 'poisoning',
      claimedSeverity: 'critical',
      deliveryId: '2f1c6f0e-5b0e-4f39-9a2e-3f2f0a6b7c11',
      title: 'Version 1 of digits in MLflow is marked: poisoning critical',
    },
  },
  {
    source: 'datadog',
    body: vector('datadog/triggered.json'),
    sign: () => senders.bearer(SECRETS.datadog),
    stale: null,
    alert: {
      endpoint: 'signs',
      kind: 'drift',
      claimedSeverity: 'high',
      deliveryId: '1234:9bd4ac313a4d1e8fae2482df7b77628:1234567890:Triggered',
      startsAt: '2026-06-01T11:59:00.000Z',
    },
  },
  {
    source: 'falco',
    body: vector('falco/event.json'),
    sign: () => senders.bearer(SECRETS.falco),
    stale: null,
    alert: {
      endpoint: 'signs',
      kind: 'tampering',
      claimedSeverity: 'critical',
      deliveryId: '5e4a1a3e-3c0b-4f8d-9d1e-6f2f9d0a7b11',
      startsAt: '2026-06-01T10:20:05.211321183Z',
    },
  },
  {
    source: 'evidently',
    body: vector('evidently/run.json'),
    sign: senders.standard,
    stale: (body) => senders.standard(body, seconds(-301)),
    alert: {
      endpoint: 'signs',
      kind: 'drift',
      claimedSeverity: null,
      title: 'Evidently: 1 of 2 tests failed: Share of Drifted Columns: Less 0.5',
    },
  },
  {
    source: 'kserve',
    body: vector('kserve/drift.json'),
    headers: alibi('drift'),
    sign: () => senders.basic(SECRETS.kserve),
    stale: null,
    alert: { endpoint: 'lanes', kind: 'drift', status: 'firing', title: 'KSDrift found drift' },
  },
];

/** The headers of Alibi Detect's server: CloudEvents 0.2 in binary mode. */
export function alibi(what: string): Headers {
  return {
    'ce-specversion': '0.2',
    'ce-id': '3z1',
    'ce-source': `io.seldon.serving.cifar10-${what}`,
    'ce-type': `io.seldon.serving.inference.${what}`,
    'ce-namespace': 'development',
    'ce-inferenceservicename': 'cifar10',
    'ce-endpoint': 'default',
    'ce-requestid': '3z1',
  };
}

/** The names that these senders have for what `lazaret.yaml` of the test declares. */
export const configuration = configurationWith(`
  names:
    Traffic sign API: signs
    Codertocat/Hello-World: lanes
    models: signs
    development/cifar10: lanes
`);

export const credentials = {
  ...SECRETS,
  cloudevents: STANDARD_SECRET,
  evidently: STANDARD_SECRET,
  generic: STANDARD_SECRET,
};
