import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ExpressionError } from '../../clients/mapping/bounded-cel.ts';
import { compile, contextOf } from '../../clients/mapping/expression.ts';
import { ConfigurationError } from '../../clients/configuration/problems.ts';
import { alertSchema } from '../../domain/contracts/alert.ts';
import { configurationWith, startApi, type fakeIncidents } from './fakes.ts';
import { STANDARD_SECRET, seconds, senders } from './senders.ts';

const INTAKE = `
  names: { 'Sign reader': signs }
  sources:
    pager:
      proof: { scheme: hmac-sha256, header: x-pager-signature, prefix: 'sha256=', timestamp: { header: x-pager-time } }
      when: body.action in ["Create", "Close"]
      id: body.alert.alertId + ":" + body.action
      endpoint: 'body.alert.details.exists(d, d.name == "endpoint") ? body.alert.details.filter(d, d.name == "endpoint")[0].value : "none"'
      title: body.alert.message
      kind: 'has(body.alert.kind) ? body.alert.kind : body.alert.message'
      severity: body.alert.priority
      status: 'body.action == "Close" ? "resolved" : "firing"'
      startsAt: body.alert.createdAt
    house:
      proof: { scheme: bearer }
      id: headers["x-event"] + string(body.n)
      endpoint: body.where
      title: '"seen " + string(body.n) + " times"'
    signed:
      proof: { scheme: standard-webhooks }
      id: body.id
      endpoint: body.endpoint
      title: body.title
`;
const SECRET = 'pager-8HnJmKiLoPzAq42';
const TOKEN = 'house-6YhNbVfRcDxEs13';
const EVENT = {
  action: 'Create',
  alert: {
    alertId: '70413a06-38d6-4c85-92b8-5ebc900d42e2',
    message: 'Poisoned batch in the feed',
    priority: 'P1',
    createdAt: '2026-06-01T11:58:00Z',
    details: [
      { name: 'team', value: 'vision' },
      { name: 'endpoint', value: 'Sign reader' },
    ],
  },
};

let app: NestFastifyApplication;
let incidents: ReturnType<typeof fakeIncidents>;
const opened: NestFastifyApplication[] = [];
beforeEach(async () => {
  ({ app, incidents } = await startApi({
    configuration: configurationWith(INTAKE),
    credentials: { mapped: { pager: SECRET, house: TOKEN, signed: STANDARD_SECRET } },
  }));
  opened.push(app);
});
afterAll(async () => {
  for (const one of opened) await one.close();
});

const post = (source: string, body: unknown, headers: Record<string, string>) =>
  app.inject({
    method: 'POST',
    url: `/v1/alerts/${source}`,
    headers: { 'content-type': 'application/json', ...headers },
    payload: typeof body === 'string' ? body : JSON.stringify(body),
  });
const pager = (body: unknown, at = seconds()) => ({
  'x-pager-time': at,
  'x-pager-signature': `sha256=${createHmac('sha256', SECRET)
    .update(`${at}.${JSON.stringify(body)}`)
    .digest('hex')}`,
});

describe('a source that lazaret.yaml describes', () => {
  it('takes what its expressions say', async () => {
    const response = await post('pager', EVENT, pager(EVENT));
    expect([response.statusCode, response.json().incidents[0].endpoint]).toEqual([202, 'signs']);
    expect(alertSchema.parse(incidents.alerts[0])).toMatchObject({
      source: 'mapped',
      deliveryId: 'pager:70413a06-38d6-4c85-92b8-5ebc900d42e2:Create',
      kind: 'poisoning',
      claimedSeverity: 'critical',
      title: 'Poisoned batch in the feed',
      startsAt: '2026-06-01T11:58:00Z',
      labels: { sender: 'pager' },
    });
    const closed = { ...EVENT, action: 'Close' };
    await post('pager', closed, pager(closed));
    expect(incidents.alerts[1]?.status).toBe('resolved');
    expect((await post('pager', EVENT, pager(EVENT))).json().incidents[0]).toMatchObject({ duplicate: true });
    const noted = { ...EVENT, action: 'AddNote' };
    expect((await post('pager', noted, pager(noted))).json()).toMatchObject({
      incidents: [],
      ignored: expect.stringContaining('pager'),
    });
  });

  it('is verified by its own proof: body, time, header, prefix and secret', async () => {
    const proof = pager(EVENT);
    const attempts: [unknown, Record<string, string>][] = [
      [{ ...EVENT, action: 'Close' }, proof],
      [EVENT, pager(EVENT, seconds(-301))],
      [EVENT, { ...proof, 'x-pager-time': seconds(1) }],
      [EVENT, { ...proof, 'x-pager-signature': proof['x-pager-signature'].slice('sha256='.length) }],
      [EVENT, { 'x-pager-signature': proof['x-pager-signature'] }],
      [EVENT, { authorization: `Bearer ${SECRET}` }],
      ['{not json', {}],
    ];
    for (const [body, headers] of attempts) expect((await post('pager', body, headers)).statusCode).toBe(401);
    expect(incidents.alerts).toEqual([]);
  });

  it('may prove itself by a bearer token or by Standard Webhooks, and sees no credential in the headers', async () => {
    const bearer = { ...senders.bearer(TOKEN), 'x-event': 'e' };
    expect((await post('house', { where: 'digits', n: 3 }, bearer)).statusCode).toBe(202);
    expect(incidents.alerts[0]).toMatchObject({ title: 'seen 3 times', deliveryId: 'house:e3', kind: 'unknown' });
    const body = JSON.stringify({ id: '1', endpoint: 'lanes', title: 'Accuracy fell' });
    expect((await post('signed', body, senders.standard(body))).statusCode).toBe(202);
    expect((await post('signed', body, senders.bearer(TOKEN))).statusCode).toBe(401);
    const { app: curious } = await startApi({
      configuration: configurationWith(INTAKE.replace('title: \'"seen', 'title: \'headers["authorization"] + "seen')),
      credentials: { mapped: { house: TOKEN } },
    });
    opened.push(curious);
    const payload = JSON.stringify({ where: 'signs', n: 1 });
    const headers = { 'content-type': 'application/json', ...bearer };
    const response = await curious.inject({ method: 'POST', url: '/v1/alerts/house', headers, payload });
    expect([response.statusCode, response.body.includes(TOKEN)]).toEqual([400, false]);
  });

  it('names the expression that a body does not fit, and an endpoint that is unknown', async () => {
    const cases: [unknown, number, RegExp][] = [
      [{ action: 'Create', alert: {} }, 400, /id: No such key: alertId/],
      [{ ...EVENT, alert: { ...EVENT.alert, priority: 5 } }, 400, /severity: gave no text/],
      [{ ...EVENT, alert: { ...EVENT.alert, message: ' ' } }, 400, /title: expected a text/],
      [{ ...EVENT, alert: { ...EVENT.alert, createdAt: 'yesterday' } }, 400, /startsAt: expected ISO 8601/],
      [{ ...EVENT, alert: { ...EVENT.alert, details: [] } }, 422, /"none"/],
      [{ constructor: { action: 'Create' } }, 400, /No such key: action/],
      [[], 400, /when/],
    ];
    for (const [body, status, detail] of cases) {
      const response = await post('pager', body, pager(body));
      expect([response.statusCode, response.json().detail]).toEqual([status, expect.stringMatching(detail)]);
    }
    const huge = { ...EVENT, alert: { ...EVENT.alert, details: Array.from({ length: 1001 }, () => 0) } };
    expect((await post('pager', huge, pager(huge))).json().detail).toMatch(/1001 values in one place/);
  });

  it('is 404 where nobody described it, with the names that there are', async () => {
    const response = await post('nobody', EVENT, {});
    expect([response.statusCode, response.json().known]).toEqual([404, expect.arrayContaining(['github', 'pager'])]);
    expect((await post('__proto__', EVENT, {})).statusCode).toBe(404);
    expect((await app.inject({ url: '/v1/alerts/pager' })).statusCode).toBe(405);
  });

  it('refuses every delivery where it has no secret', async () => {
    const { app: bare } = await startApi({ configuration: configurationWith(INTAKE), credentials: {} });
    opened.push(bare);
    const response = await bare.inject({ method: 'POST', url: '/v1/alerts/pager', payload: '{}', headers: pager({}) });
    expect([response.statusCode, response.json().detail]).toEqual([401, expect.stringMatching(/configured/)]);
  });
});

describe('expressions', () => {
  const problems = (line: string): string => {
    try {
      configurationWith(`
  sources:
    house:
      proof: { scheme: bearer }
      id: body.id
      endpoint: body.endpoint
      ${line}
`);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message;
      throw error;
    }
    return '';
  };

  it('are checked when lazaret.yaml is loaded, with the line of each', () => {
    for (const [expression, what] of [
      ['1 + 1', /type int; expected a text/],
      ['body.x ==', /cannot be used/],
      ['"a" + 1', /no such overload/],
      ['boddy.title', /Unknown variable: boddy/],
      ['body.list.map(a, body.list.map(b, b))[0]', /inside another walk/],
      ['body.t.matches("(a+)+$") ? "a" : "b"', /regular expressions/],
      ['nothing(body)', /nothing/],
      [Array.from({ length: 250 }, () => '1').join('+'), /nodes/i],
    ] as const) {
      const message = problems(`title: '${expression}'`);
      expect(message).toMatch(/lazaret\.yaml:\d+:\d+: intake\.sources\.house\.title/);
      expect(message).toMatch(what);
    }
    expect(problems('title: body.title\n      when: \'"yes"\'')).toMatch(/house\.when.*expected true or false/);
    expect(problems('title: body.title')).toBe('');
  });

  it('stand beside names that mean a declared endpoint', () => {
    expect(() => configurationWith('  names: { acme/signs: elsewhere }\n')).toThrow(
      /intake\.names\.acme\/signs: unknown endpoint "elsewhere"/,
    );
    expect(configurationWith('  names: { acme/signs: signs }\n').intake?.names).toEqual({ 'acme/signs': 'signs' });
  });

  it('have no name that Lazaret has itself, and no header of a credential as signature', () => {
    const named = (name: string, header: string) => () =>
      configurationWith(`
  sources:
    ${name}:
      proof: { scheme: hmac-sha256, header: ${header} }
      id: body.id
      endpoint: body.endpoint
      title: body.title
`);
    expect(named('own', 'x-signature')).not.toThrow();
    expect(named('github', 'x-signature')).toThrow(/knows itself/);
    expect(named('own', 'authorization')).toThrow(/header of the signature/);
    expect(named('own', 'X-Signature')).toThrow(/lower case/);
  });

  it('reach nothing but the document', () => {
    const context = contextOf({ body: JSON.parse('{"__proto__":{"a":"own"},"t":"x"}'), headers: {} });
    expect(compile('body.__proto__.a', 'string')(context)).toBe('own');
    for (const text of [
      'body.constructor.name',
      'body.t.constructor',
      'headers["constructor"]',
      'body.t.length',
      'body.size',
    ]) {
      expect(() => compile(text, 'string')(context)).toThrow(ExpressionError);
    }
  });

  it('cost little, whatever is sent', () => {
    const text = 'x'.repeat(60_000);
    const list = Array.from({ length: 1_000 }, (_, index) => ({ name: `n${index}`, text: 'y'.repeat(100) }));
    const context = contextOf({ body: { text, list }, headers: {} });
    const worst = compile(
      'body.list.filter(a, body.text.contains(a.text)).map(a, a.text + body.text).exists(a, a.contains("z")) ? "a" : "b"',
      'string',
    );
    const before = performance.now();
    expect(worst(context)).toBe('b');
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});
