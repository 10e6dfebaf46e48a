import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { signWebhook } from '../../evidence/keys/webhook-signature.ts';
import { TemporalUnavailable } from '../../clients/temporal/errors.ts';
import { alertSchema } from '../../domain/contracts/alert.ts';
import { ALERTMANAGER, NOW, WEBHOOK_KEY, startApi, type fakeIncidents } from './fakes.ts';

/** As captured from a real Alertmanager 0.25. */
const FIRING = JSON.parse(readFileSync('test/vectors/alertmanager/firing.json', 'utf8'));
const GENERIC = { endpoint: 'signs', kind: 'poisoning', severity: 'high', title: 'a stop sign with a sticker' };

let app: NestFastifyApplication;
let incidents: ReturnType<typeof fakeIncidents>;
const opened: NestFastifyApplication[] = [];

beforeEach(async () => {
  ({ app, incidents } = await startApi());
  opened.push(app);
});
afterAll(async () => {
  for (const one of opened) await one.close();
});

type Body = string | object;
const alertmanager = (body: Body, headers: Record<string, string> = { authorization: `Bearer ${ALERTMANAGER}` }) =>
  app.inject({
    method: 'POST',
    url: '/v1/alerts/alertmanager',
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });

let delivery = 0;
function generic(body: Body, change: { id?: string; timestamp?: string; signature?: string; type?: string } = {}) {
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const id = change.id ?? `msg_${(delivery += 1)}`;
  const timestamp = change.timestamp ?? String(NOW.getTime() / 1000);
  const signature = change.signature ?? signWebhook(WEBHOOK_KEY, id, timestamp, Buffer.from(payload));
  const headers = {
    'content-type': change.type ?? 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signature,
  };
  return app.inject({ method: 'POST', url: '/v1/alerts/generic', headers, payload });
}

function expectProblem(
  response: { statusCode: number; headers: object; body: string },
  status: number,
  detail: RegExp | string,
) {
  expect(response.statusCode).toBe(status);
  expect(response.headers).toMatchObject({ 'content-type': 'application/problem+json' });
  const problem = JSON.parse(response.body);
  expect(problem).toMatchObject({
    status,
    type: expect.stringMatching(/^urn:lazaret:problem:/),
    title: expect.any(String),
    instance: expect.stringMatching(/^\//),
  });
  expect(problem.detail).toMatch(detail);
  expect(response.body).not.toContain('node_modules');
  return problem;
}

describe('POST /v1/alerts/alertmanager', () => {
  it('takes what Alertmanager really sends, and answers 202 with the incident', async () => {
    const response = await alertmanager(FIRING);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({
      incidents: [{ incident: 'signs-0123abcd', endpoint: 'signs', duplicate: false }],
    });
    const [alert] = incidents.alerts;
    expect(alertSchema.parse(alert)).toMatchObject({
      kind: 'drift',
      claimedSeverity: 'critical',
      status: 'firing',
      title: 'x',
      startsAt: '2026-11-21T04:22:29Z',
    });
    expect(JSON.parse(alert?.body ?? '')).toEqual(FIRING.alerts[0]);
  });

  it('takes the credential as a basic password too', async () => {
    const basic = Buffer.from(`anybody:${ALERTMANAGER}`).toString('base64');
    expect((await alertmanager(FIRING, { authorization: `Basic ${basic}` })).statusCode).toBe(202);
  });

  it('makes one incident of ten alerts of one group', async () => {
    const alerts = Array.from({ length: 10 }, (_, index) => ({ ...FIRING.alerts[0], fingerprint: `00${index}` }));
    const response = await alertmanager({ ...FIRING, alerts });
    expect(response.json().incidents).toHaveLength(1);
    expect(incidents.alerts).toHaveLength(10);
  });

  it('answers 200 with the same incident for a repeated notification', async () => {
    await alertmanager(FIRING);
    const again = await alertmanager(FIRING);
    expect(again.statusCode).toBe(200);
    expect(again.json()).toEqual({ incidents: [{ incident: 'signs-0123abcd', endpoint: 'signs', duplicate: true }] });
    expect(incidents.alerts).toHaveLength(1);
  });

  it('opens nothing for a resolved alert, and passes it on to an open incident', async () => {
    const resolved = {
      ...FIRING,
      status: 'resolved',
      alerts: [{ ...FIRING.alerts[0], status: 'resolved', endsAt: '2026-11-21T04:22:33Z' }],
    };
    const quiet = await alertmanager(resolved);
    expect([quiet.statusCode, quiet.json()]).toEqual([200, { incidents: [] }]);
    await alertmanager(FIRING);
    const noted = await alertmanager({
      ...resolved,
      alerts: [{ ...resolved.alerts[0], endsAt: '2026-11-21T05:00:00Z' }],
    });
    expect(noted.statusCode).toBe(202);
    expect(incidents.alerts.map((alert) => alert.status)).toEqual(['firing', 'resolved']);
  });

  it('finds every endpoint that serves the model of the label', async () => {
    const response = await alertmanager({
      ...FIRING,
      alerts: [{ ...FIRING.alerts[0], labels: { model: 'lines', kind: 'tampering' } }],
    });
    expect(response.json().incidents).toEqual([{ incident: 'lanes-0123abcd', endpoint: 'lanes', duplicate: false }]);
    expect(incidents.alerts[0]?.kind).toBe('tampering');
  });

  it('refuses a missing or wrong credential with 401, before it reads the body', async () => {
    const wrong: Record<string, string>[] = [
      {},
      ...['Bearer wrong', 'Basic !!', `Bearer ${ALERTMANAGER}x`].map((authorization) => ({ authorization })),
    ];
    for (const headers of wrong) {
      const response = await alertmanager('{not json', headers);
      expectProblem(response, 401, /credential/);
      expect(response.headers['www-authenticate']).toContain('Bearer');
    }
    expect(incidents.alerts).toEqual([]);
  });

  it('says what was expected where the body is malformed', async () => {
    expectProblem(await alertmanager('{not json'), 400, /not JSON/);
    const problem = expectProblem(
      await alertmanager({ ...FIRING, version: '3', alerts: [{ ...FIRING.alerts[0], startsAt: 'yesterday' }] }),
      400,
      /version: expected "4"/,
    );
    expect(problem.errors.map((error: { path: string }) => error.path)).toEqual(['version', 'alerts.0.startsAt']);
    expectProblem(await alertmanager('"__proto__"'), 400, /expected form/);
    expectProblem(await alertmanager({ ...FIRING, alerts: [] }), 400, /alerts/);
  });

  it('answers 422 with the names it knows for an endpoint that is not declared', async () => {
    for (const labels of [{ endpoint: 'elsewhere' }, { model: '__proto__' }, {}]) {
      const problem = expectProblem(
        await alertmanager({ ...FIRING, alerts: [{ ...FIRING.alerts[0], labels }] }),
        422,
        /declares signs, lanes/,
      );
      expect(problem).toMatchObject({ code: 'endpoint/unknown', known: ['signs', 'lanes'] });
    }
  });

  it('takes what it knows of a mixed group and names the rest', async () => {
    const response = await alertmanager({
      ...FIRING,
      alerts: [...FIRING.alerts, { ...FIRING.alerts[0], labels: { endpoint: 'elsewhere' } }],
    });
    expect([response.statusCode, response.json().unknown]).toEqual([202, ['elsewhere']]);
  });

  it('answers 503 with Retry-After while Temporal is away, and takes the repetition as new', async () => {
    incidents.goAway(new TemporalUnavailable());
    const response = await alertmanager(FIRING);
    expectProblem(response, 503, /Temporal does not answer/);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    incidents.goAway(null);
    expect((await alertmanager(FIRING)).statusCode).toBe(202);
  });
});

describe('POST /v1/alerts/generic', () => {
  it('takes a signed alert, and one incident per delivery id', async () => {
    const first = await generic(GENERIC, { id: 'msg_same' });
    expect([first.statusCode, first.json().incidents[0]]).toEqual([
      202,
      { incident: 'signs-0123abcd', endpoint: 'signs', duplicate: false },
    ]);
    const second = await generic(GENERIC, { id: 'msg_same' });
    expect([second.statusCode, second.json().incidents[0]?.duplicate]).toEqual([200, true]);
    expect(alertSchema.parse(incidents.alerts[0])).toMatchObject({
      source: 'generic',
      deliveryId: 'msg_same',
      body: JSON.stringify(GENERIC),
    });
  });

  it('takes two deliveries of one id at once as one', async () => {
    const both = await Promise.all([generic(GENERIC, { id: 'msg_race' }), generic(GENERIC, { id: 'msg_race' })]);
    expect(both.map((response) => response.statusCode).sort()).toEqual([200, 202]);
    expect(incidents.alerts).toHaveLength(1);
  });

  it('refuses a wrong signature and a stale delivery with 401', async () => {
    expectProblem(await generic(GENERIC, { signature: 'v1,AAAA' }), 401, /does not match/);
    const old = String(NOW.getTime() / 1000 - 301);
    expectProblem(await generic(GENERIC, { timestamp: old }), 401, /stale/);
    expectProblem(await generic(GENERIC, { timestamp: String(NOW.getTime() / 1000 + 301) }), 401, /stale/);
    expect(incidents.alerts).toEqual([]);
  });

  it('refuses a malformed body with 400, another media type with 415, a stranger with 422', async () => {
    expectProblem(await generic('{'), 400, /not JSON/);
    expectProblem(await generic({ ...GENERIC, kind: 'magic' }), 400, /kind/);
    expectProblem(await generic({ ...GENERIC, extra: 1 }), 400, /extra/);
    expectProblem(await generic(GENERIC, { type: 'text/plain' }), 415, /application\/json/);
    expectProblem(await generic({ ...GENERIC, endpoint: 'elsewhere' }), 422, /elsewhere/);
  });

  it('refuses more than 256 KiB with 413', async () => {
    expectProblem(await generic({ ...GENERIC, title: 'x'.repeat(257 * 1024) }), 413, /256 KiB/);
  });

  it('refuses every delivery where no secret is configured', async () => {
    const bare = await startApi({ credentials: { alertmanager: null, generic: null } });
    opened.push(bare.app);
    const url = '/v1/alerts/generic';
    expect((await bare.app.inject({ method: 'POST', url, payload: '{}' })).statusCode).toBe(401);
    expect(
      (await bare.app.inject({ method: 'POST', url: '/v1/alerts/alertmanager', headers: { authorization: 'Bearer ' } }))
        .statusCode,
    ).toBe(401);
  });
});

describe('failed authentications', () => {
  it('are limited by address, and a right credential passes all the same', async () => {
    for (let attempt = 0; attempt < 30; attempt += 1)
      expect((await generic(GENERIC, { signature: 'v1,no' })).statusCode).toBe(401);
    const limited = await generic(GENERIC, { signature: 'v1,no' });
    expectProblem(limited, 429, /Try again/);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await generic(GENERIC)).statusCode).toBe(202);
  });
});

describe('what is no alert', () => {
  it('is a problem document too: 404, 405 with Allow, 500 without a reason for strangers', async () => {
    expectProblem(await app.inject({ url: '/nowhere' }), 404, /No resource/);
    const wrong = await app.inject({ url: '/v1/alerts/generic' });
    expectProblem(wrong, 405, /POST/);
    expect(wrong.headers['allow']).toBe('POST');
    incidents.goAway(new Error('secret path /etc/lazaret'));
    const failed = await generic(GENERIC);
    expectProblem(failed, 500, /log has the reason/);
    expect(failed.body).not.toContain('secret path');
  });
});
