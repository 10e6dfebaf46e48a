import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { verifyGitHub } from '../../api/intake/sources/github.ts';
import { startApi, type fakeIncidents } from './fakes.ts';
import { alibi, configuration, credentials, type Headers } from './sender-table.ts';
import { SECRETS, seconds, senders, vector } from './senders.ts';

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
