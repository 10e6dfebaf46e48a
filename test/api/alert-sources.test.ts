import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { verifyGitHub } from '../../api/intake/sources/github.ts';
import { alertSchema, type Alert } from '../../domain/contracts/alert.ts';
import { configurationWith, startApi, type fakeIncidents } from './fakes.ts';
import { SECRETS, STANDARD_SECRET, seconds, senders, vector } from './senders.ts';

type Headers = Record<string, string>;

interface Sender {
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

const SENDERS: readonly Sender[] = [
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
function alibi(what: string): Headers {
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
const configuration = configurationWith(`
  names:
    Traffic sign API: signs
    Codertocat/Hello-World: lanes
    models: signs
    development/cifar10: lanes
`);

const credentials = {
  ...SECRETS,
  cloudevents: STANDARD_SECRET,
  evidently: STANDARD_SECRET,
  generic: STANDARD_SECRET,
};

describe.each(SENDERS)('POST /v1/alerts/$source', ({ source, body, type, headers: own, sign, stale, old, alert }) => {
  let app: NestFastifyApplication;
  let bare: NestFastifyApplication;
  let incidents: ReturnType<typeof fakeIncidents>;
  beforeAll(async () => {
    ({ app, incidents } = await startApi({ credentials, configuration }));
    ({ app: bare } = await startApi({ credentials: {} }));
  });
  afterAll(async () => {
    await app.close();
    await bare.close();
  });

  const post = (payload: string, headers: Headers, to = app) =>
    to.inject({
      method: 'POST',
      url: `/v1/alerts/${source}`,
      headers: { 'content-type': type ?? 'application/json', ...own, ...headers },
      payload,
    });

  it('refuses the same delivery with one byte changed, unsigned, half signed or stale, and tells no incident', async () => {
    const changed = body.replace(/[a-z](?=[^a-z]*$)/, (letter) => (letter === 'x' ? 'y' : 'x'));
    expect(changed).not.toBe(body);
    const proof = sign(body);
    const isSigned = !('authorization' in proof);
    const attempts: [string, Headers][] = [
      [body, {}],
      [body, Object.fromEntries(Object.entries(proof).map(([name, value]) => [name, flipLast(value)]))],
      ['{not json', {}],
      ...(isSigned ? [[changed, proof] as [string, Headers]] : []),
      ...(stale ? [[body, stale(body)] as [string, Headers]] : []),
      ...(old ? [[old(body), sign(old(body))] as [string, Headers]] : []),
    ];
    for (const [payload, headers] of attempts) {
      const response = await post(payload, headers);
      expect([response.statusCode, response.headers['content-type']]).toEqual([401, 'application/problem+json']);
      expect(response.headers['www-authenticate']).toEqual(expect.any(String));
    }
    expect(incidents.alerts).toEqual([]);
  });

  it('refuses every delivery where no secret is configured, and says so', async () => {
    const response = await post(body, sign(body), bare);
    expect([response.statusCode, response.json().detail]).toEqual([401, expect.stringMatching(/^No .* configured/)]);
  });

  it('says what was expected of an authentic body of another form', async () => {
    for (const text of ['{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}', '[]', '"a"', 'null']) {
      const response = await post(text, sign(text));
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ type: 'urn:lazaret:problem:malformed-request' });
    }
    expect((await post('{', sign('{'))).json().detail).toMatch(/not JSON/);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('refuses more than 256 KiB with 413, before anything is computed over it', async () => {
    const large = `{"a":"${'x'.repeat(257 * 1024)}"}`;
    expect((await post(large, {})).statusCode).toBe(413);
  });

  it('takes what the sender really sends, and answers 200 with the same incident to its repetition', async () => {
    const first = await post(body, sign(body));
    expect([first.statusCode, first.json().incidents[0]]).toEqual([
      202,
      { incident: `${alert.endpoint}-0123abcd`, endpoint: alert.endpoint, duplicate: false },
    ]);
    expect(alertSchema.parse(incidents.alerts[0])).toMatchObject({ source, ...alert });
    const count = incidents.alerts.length;
    const again = await post(body, sign(body));
    expect([again.statusCode, again.json().incidents[0].duplicate]).toEqual([200, true]);
    expect(incidents.alerts).toHaveLength(count);
  });
});

/** The same length, another last character: what an attacker without the secret would try next. */
function flipLast(value: string): string {
  return value.slice(0, -1) + (value.endsWith('0') ? '1' : '0');
}

describe('what else the senders send', () => {
  let app: NestFastifyApplication;
  let incidents: ReturnType<typeof fakeIncidents>;
  beforeAll(async () => {
    ({ app, incidents } = await startApi({ credentials, configuration }));
  });
  afterAll(() => app.close());

  const send = (source: string, payload: string, headers: Headers) =>
    app.inject({
      method: 'POST',
      url: `/v1/alerts/${source}`,
      headers: { 'content-type': 'application/json', ...headers },
      payload,
    });

  it('ignores with the reason what is authentic and no alert, such as pings', async () => {
    const ping = vector('github/ping.json');
    const noData = vector('datadog/triggered.json').replace('"Triggered"', '"No Data"');
    const created = vector('mlflow/version-created.json');
    const acknowledged = vector('pagerduty/triggered.json').replace('incident.triggered', 'incident.acknowledged');
    const pagey = JSON.stringify({
      event: {
        id: '01BRB6ZP4M6T8ZG4X6BP63ZB9O',
        event_type: 'pagey.ping',
        resource_type: 'pagey',
        occurred_at: '2026-06-01T11:59:59.000Z',
        agent: null,
        client: null,
        data: { message: 'Hello from your friend Pagey!', type: 'ping' },
      },
    });
    for (const [source, body, headers] of [
      ['pagerduty', pagey, senders.pagerduty(pagey)],
      ['github', ping, senders.github(ping, 'ping')],
      ['pagerduty', acknowledged, senders.pagerduty(acknowledged)],
      ['mlflow', created, senders.mlflow(created)],
      ['datadog', noData, senders.bearer(SECRETS.datadog)],
      ['kserve', '{"instances":[[6.8,2.8]]}', { ...senders.basic(SECRETS.kserve), ...alibi('request') }],
      ['evidently', '{"endpoint":"signs","tests":[]}', senders.standard('{"endpoint":"signs","tests":[]}')],
    ] as const) {
      const response = await send(source, body, headers);
      expect([response.statusCode, response.json()]).toEqual([200, { incidents: [], ignored: expect.any(String) }]);
    }
    expect(incidents.alerts).toEqual([]);
  });

  it('reads the kind of a GitHub alert off its signed body, whatever the header of the event says', async () => {
    const body = vector('github/dependabot.json');
    expect((await send('github', body, senders.github(body, 'push'))).statusCode).toBe(202);
    expect(incidents.alerts.at(-1)).toMatchObject({
      claimedSeverity: 'medium',
      title: 'semver vulnerable to Regular Expression Denial of Service',
      labels: { alert: 'dependency', rule: 'GHSA-c2qf-rxjj-qqgw' },
    });
    const resolved = vector('github/secret-scanning.json');
    expect((await send('github', resolved, senders.github(resolved))).statusCode).toBe(202);
    expect(incidents.alerts.at(-1)).toMatchObject({ status: 'resolved', labels: { alert: 'secret' } });
  });

  it('takes a GitHub delivery with another delivery id for the repetition that it is', async () => {
    const body = vector('github/dependabot.json');
    const headers = { ...senders.github(body), 'x-github-delivery': 'another' };
    expect((await send('github', body, headers)).json().incidents[0]).toMatchObject({ duplicate: true });
  });

  it('agrees with the test values of GitHub for its signature', async () => {
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries, "Testing the webhook payload validation".
    const delivery = {
      header: () => 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
      headers: {},
      raw: Buffer.from('Hello, World!'),
      receivedAt: new Date(0),
    };
    expect(verifyGitHub(delivery, "It's a Secret to Everybody")).toEqual({ ok: true });
  });

  it('takes the answers of several detectors, and a good one as resolved', async () => {
    const outlier = vector('kserve/outlier.json');
    const proof = senders.basic(SECRETS.kserve);
    expect((await send('kserve', outlier, { ...proof, ...alibi('outlier') })).statusCode).toBe(202);
    expect(incidents.alerts.at(-1)).toMatchObject({ title: 'OutlierVAE found outliers', status: 'firing' });
    const quiet = outlier.replace('[0,1,0]', '[0,0,0]');
    await send('kserve', quiet, { ...proof, ...alibi('outlier'), 'ce-id': '3z2' });
    expect(incidents.alerts.at(-1)).toMatchObject({ title: 'OutlierVAE found no outliers', status: 'resolved' });
    const run = vector('evidently/run.json');
    await send('evidently', run, senders.standard(run, seconds(), 'msg_failed'));
    const passed = run.replace('FAIL', 'SUCCESS');
    await send('evidently', passed, senders.standard(passed, seconds(), 'msg_passed'));
    expect(incidents.alerts.at(-1)).toMatchObject({ title: 'Evidently: all 2 tests passed', status: 'resolved' });
  });

  it('answers 422 with the declared names where a foreign name means nothing here', async () => {
    const body = vector('pagerduty/triggered.json').replace('Traffic sign API', '__proto__').replaceAll('PF9KMXH', 'X');
    const response = await send('pagerduty', body, senders.pagerduty(body));
    expect([response.statusCode, response.json()]).toEqual([
      422,
      expect.objectContaining({
        code: 'endpoint/unknown',
        known: ['signs', 'lanes'],
        detail: expect.stringContaining('__proto__, X'),
      }),
    ]);
  });
});

describe('CloudEvents', () => {
  let app: NestFastifyApplication;
  let incidents: ReturnType<typeof fakeIncidents>;
  beforeEach(async () => {
    ({ app, incidents } = await startApi({ credentials, configuration }));
  });
  afterEach(() => app.close());

  const send = (type: string, payload: string, headers: Headers) =>
    app.inject({
      method: 'POST',
      url: '/v1/alerts/cloudevents',
      headers: { 'content-type': type, ...headers },
      payload,
    });
  const binary = {
    'ce-specversion': '1.0',
    'ce-id': 'C234-1',
    'ce-source': '/gateways/signs-0',
    'ce-type': 'eu.lazaret.sentinel.evasion',
    'ce-subject': 'Stra%C3%9Fe%20signs',
  };

  it('are taken in batches, each event for the endpoint that it names', async () => {
    const batch = vector('cloudevents/batch.json');
    const response = await send('application/cloudevents-batch+json', batch, senders.standard(batch));
    expect(response.statusCode).toBe(202);
    expect(incidents.alerts.map(({ endpoint, kind }) => [endpoint, kind])).toEqual([
      ['signs', 'drift'],
      ['lanes', 'extraction'],
    ]);
  });

  it('are known again by source and id, though another delivery brings them', async () => {
    const batch = vector('cloudevents/batch.json');
    await send('application/cloudevents-batch+json', batch, senders.standard(batch, seconds(), 'msg_1'));
    const [first] = JSON.parse(batch);
    const alone = JSON.stringify(first);
    const again = await send('application/cloudevents+json', alone, senders.standard(alone, seconds(), 'msg_2'));
    expect(again.json().incidents[0]).toMatchObject({ endpoint: 'signs', duplicate: true });
  });

  it('in binary mode are believed for what the signed data says, never for a header', async () => {
    const data = vector('cloudevents/binary-data.json');
    const proof = senders.standard(data);
    const response = await send('application/json', data, { ...binary, ...proof });
    expect(response.statusCode).toBe(202);
    expect(incidents.alerts[0]).toMatchObject({ endpoint: 'signs', kind: 'evasion', claimedSeverity: 'high' });
    const moved = {
      ...binary,
      'ce-id': 'C234-2',
      'ce-source': '/other',
      'ce-subject': 'lanes',
      'ce-endpoint': 'lanes',
    };
    const again = await send('application/json', data, { ...moved, ...proof });
    expect(again.json().incidents).toEqual([{ incident: 'signs-0123abcd', endpoint: 'signs', duplicate: true }]);
    const nameless = '{"title":"for whom?"}';
    const nobody = await send('application/json', nameless, {
      ...moved,
      ...senders.standard(nameless, seconds(), 'm'),
    });
    expect(nobody.statusCode).toBe(422);
  });

  it('of another form are answered with what was expected', async () => {
    const data = vector('cloudevents/binary-data.json');
    const cases: [string, string, Headers, number, RegExp][] = [
      ['application/json', data, {}, 400, /ce- headers.*specversion/],
      ['application/json', data, { ...binary, 'ce-specversion': '0.3' }, 400, /expected "1.0"/],
      ['application/json', data, { ...binary, 'ce-subject': '%E0%A4' }, 400, /percent-encoded/],
      ['application/cloudevents+json', '{"specversion":"1.0","id":"1","source":"s","type":"t"}', {}, 400, /data/],
      ['application/cloudevents-batch+json', '[]', {}, 400, /batch/],
      ['application/cloudevents+xml', '<a/>', {}, 415, /cloudevents/],
    ];
    for (const [type, body, headers, status, detail] of cases) {
      const response = await send(type, body, { ...headers, ...senders.standard(body) });
      expect([response.statusCode, response.json().detail]).toEqual([status, expect.stringMatching(detail)]);
    }
  });
});

describe('what the code of the senders itself put on the wire', () => {
  let app: NestFastifyApplication;
  let incidents: ReturnType<typeof fakeIncidents>;
  beforeAll(async () => {
    ({ app, incidents } = await startApi({ credentials, configuration }));
  });
  afterAll(() => app.close());

  it.each([
    ['mlflow', 'recorded-tag-set', { kind: 'tampering', claimedSeverity: 'high', endpoint: 'signs' }],
    ['cloudevents', 'recorded-structured', { kind: 'drift', claimedSeverity: 'low', title: 'Konfidenz fällt' }],
    ['cloudevents', 'recorded-binary', { kind: 'drift', claimedSeverity: 'low', title: 'Konfidenz fällt' }],
    [
      'evidently',
      'recorded-run',
      {
        kind: 'drift',
        title: 'Evidently: 2 of 3 tests failed: Share of Drifted Columns: Less 0.500; Value Drift for column speed',
      },
    ],
  ])('is taken: %s %s', async (source, file, alert) => {
    const { headers, body } = JSON.parse(vector(`${source}/${file}.json`));
    const url = `/v1/alerts/${source}`;
    const response = await app.inject({ method: 'POST', url, headers, payload: body });
    expect([response.statusCode, response.body]).toEqual([202, expect.stringContaining('signs')]);
    expect(alertSchema.parse(incidents.alerts.at(-1))).toMatchObject({ source, ...alert });
    const changed = await app.inject({ method: 'POST', url, headers, payload: body.replace('signs', 'lanes') + ' ' });
    expect(changed.statusCode).toBe(401);
  });

  it('is taken: the answer of a detector with a password in its address, in CloudEvents 0.2 and 1.0, one event', async () => {
    const url = '/v1/alerts/kserve';
    const answers = [];
    for (const spec of ['0.2', '1.0']) {
      const { headers, body } = JSON.parse(vector(`kserve/recorded-drift-${spec}.json`));
      answers.push((await app.inject({ method: 'POST', url, headers, payload: body })).json().incidents[0]);
      const { authorization: _, ...bare } = headers;
      expect((await app.inject({ method: 'POST', url, headers: bare, payload: body })).statusCode).toBe(401);
    }
    expect(answers).toMatchObject([
      { endpoint: 'lanes', duplicate: false },
      { endpoint: 'lanes', duplicate: true },
    ]);
    expect(incidents.alerts.at(-1)).toMatchObject({ source: 'kserve', kind: 'drift', title: 'KSDrift found drift' });
  });
});
