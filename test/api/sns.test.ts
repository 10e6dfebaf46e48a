import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sign } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { isSnsAddress } from '../../api/intake/sns/envelope.ts';
import { alertSchema } from '../../domain/contracts/alert.ts';
import { authority } from './certificate.ts';
import { NOW, configurationWith, startApi, type fakeIncidents } from './fakes.ts';
import { vector } from './senders.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:model-monitor';
const CERTIFICATE =
  'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem';
const day = 24 * 60 * 60 * 1000;
const good = authority(2048, new Date(NOW.getTime() - day), new Date(NOW.getTime() + day));
const expired = authority(2048, new Date(NOW.getTime() - 2 * day), new Date(NOW.getTime() - day));
const short = authority(1024, new Date(NOW.getTime() - day), new Date(NOW.getTime() + day));

type Fields = Record<string, string>;

/** Signs as the documentation says: the values of these names, each name and value on a line, in this order. */
function signed(fields: Fields, key = good.key, version = fields['SignatureVersion'] ?? '2'): Fields {
  const names =
    fields['Type'] === 'Notification'
      ? ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type']
      : ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];
  const text = names.flatMap((name) => (fields[name] === undefined ? [] : [`${name}\n${fields[name]}\n`])).join('');
  const signature = sign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256', Buffer.from(text), key).toString('base64');
  return { ...fields, SignatureVersion: version, Signature: signature };
}

const notification = (message: string, change: Fields = {}): Fields => ({
  Type: 'Notification',
  MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
  TopicArn: TOPIC,
  Subject: 'My First Message',
  Message: message,
  Timestamp: NOW.toISOString(),
  SignatureVersion: '2',
  SigningCertURL: CERTIFICATE,
  UnsubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe',
  ...change,
});

const subscription = (change: Fields = {}): Fields => ({
  Type: 'SubscriptionConfirmation',
  MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b',
  Token: '2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92',
  TopicArn: TOPIC,
  Message: 'You have chosen to subscribe to the topic.',
  SubscribeURL: `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=2336412f`,
  Timestamp: NOW.toISOString(),
  SignatureVersion: '1',
  SigningCertURL: CERTIFICATE,
  ...change,
});

let app: NestFastifyApplication;
let incidents: ReturnType<typeof fakeIncidents>;
let fetched: string[];
let confirmed: string[];
let pem: string;
const opened: NestFastifyApplication[] = [];

beforeEach(async () => {
  [fetched, confirmed, pem] = [[], [], good.pem];
  ({ app, incidents } = await startApi({
    configuration: configurationWith('  names: { traffic-signs-prod: signs }'),
    sns: {
      topics: [TOPIC],
      certificate: async (url) => {
        fetched.push(url);
        return pem;
      },
      confirm: async (url) => void confirmed.push(url),
    },
  }));
  opened.push(app);
});
afterAll(async () => {
  for (const one of opened) await one.close();
});

/** SNS posts JSON and calls it text. */
const post = (fields: Fields | string) =>
  app.inject({
    method: 'POST',
    url: '/v1/alerts/sns',
    headers: { 'content-type': 'text/plain; charset=UTF-8', 'x-amz-sns-message-type': 'Notification' },
    payload: typeof fields === 'string' ? fields : JSON.stringify(fields),
  });

describe('POST /v1/alerts/sns', () => {
  it('takes the violations that Model Monitor found, and several events about one job as one', async () => {
    const first = await post(signed(notification(vector('sns/model-monitor.json'))));
    expect([first.statusCode, first.json().incidents[0]?.endpoint]).toEqual([202, 'signs']);
    expect(alertSchema.parse(incidents.alerts[0])).toMatchObject({
      source: 'sns',
      kind: 'drift',
      status: 'firing',
      title: 'SageMaker Model Monitor: CompletedWithViolations: Job completed successfully with 3 violations.',
      startsAt: '2026-06-01T11:55:12Z',
    });
    const again = signed(notification(vector('sns/model-monitor.json'), { MessageId: 'another' }), good.key, '1');
    expect((await post(again)).json().incidents[0]).toMatchObject({ duplicate: true });
  });

  it('takes an alarm by EventBridge and by its own action, and its end as resolved', async () => {
    expect((await post(signed(notification(vector('sns/alarm-event.json'))))).statusCode).toBe(202);
    const over = notification(vector('sns/alarm.json'));
    delete over['Subject'];
    expect((await post(signed(over))).statusCode).toBe(202);
    expect(incidents.alerts.map(({ status, startsAt }) => [status, startsAt])).toEqual([
      ['firing', '2026-06-01T11:56:40.403+00:00'],
      ['resolved', '2026-06-01T11:59:40.403+00:00'],
    ]);
    expect(incidents.alerts[0]?.labels).toMatchObject({ metric: 'feature_baseline_drift_speed' });
  });

  it('refuses any signed value that was changed, and what was left out or added to them', async () => {
    const message = signed(notification(vector('sns/model-monitor.json')));
    for (const name of ['Message', 'MessageId', 'Subject', 'Signature']) {
      const response = await post({ ...message, [name]: `A${message[name]}` });
      expect([name, response.statusCode]).toEqual([name, 401]);
    }
    const { Subject: _, ...less } = message;
    expect((await post(less)).statusCode).toBe(401);
    expect((await post({ ...message, SignatureVersion: '1' })).statusCode).toBe(401);
    expect(incidents.alerts).toEqual([]);
  });

  it('refuses a topic that nobody configured before it fetches anything: everybody can have SNS sign one', async () => {
    const foreign = notification('{}', { TopicArn: 'arn:aws:sns:eu-west-1:999999999999:model-monitor' });
    const response = await post(signed(foreign));
    expect([response.statusCode, response.json().detail, fetched]).toEqual([
      401,
      'The topic is not one that is listened to.',
      [],
    ]);
  });

  it('fetches certificates from SNS only', async () => {
    const elsewhere = [
      'http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem',
      'https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem',
      'https://evil.example/https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5ca.pem',
      'https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem',
      'https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem',
      'https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5cacd23014631ec1136.pem',
      'https://sns.eu-west-1.amazonaws.com/bucket/own.pem',
      'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-9c6465fa7f48f5ca.pem?x=1',
      'file:///etc/passwd',
      '',
    ];
    for (const url of elsewhere) {
      expect([url, (await post(signed(notification('{}', { SigningCertURL: url })))).statusCode]).toEqual([url, 401]);
    }
    expect(fetched).toEqual([]);
    expect(isSnsAddress(CERTIFICATE.replace('.com/', '.com.cn/'), 'certificate')).toBe(true);
  });

  it('refuses a certificate that is expired, too weak, or none; and a stale or future message', async () => {
    for (const [text, key] of [
      [expired.pem, expired.key],
      [short.pem, short.key],
      ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', good.key],
      ['', good.key],
    ] as const) {
      pem = text;
      expect((await post(signed(notification('{}'), key))).statusCode).toBe(401);
    }
    pem = good.pem;
    for (const hours of [-2, 2]) {
      const Timestamp = new Date(NOW.getTime() + hours * 60 * 60 * 1000).toISOString();
      expect((await post(signed(notification('{}', { Timestamp })))).json().detail).toMatch(/stale/);
    }
  });

  it('confirms a subscription to a configured topic, once its signature is right, at SNS only', async () => {
    const forged = { ...signed(subscription()), SubscribeURL: 'https://sns.eu-west-1.amazonaws.com/?Action=Other' };
    expect((await post(forged)).statusCode).toBe(401);
    const abroad = signed(subscription({ SubscribeURL: 'https://evil.example/?Action=ConfirmSubscription' }));
    expect((await post(abroad)).statusCode).toBe(400);
    expect(confirmed).toEqual([]);
    const response = await post(signed(subscription()));
    expect([response.statusCode, response.json().ignored]).toEqual([200, expect.stringContaining('is confirmed')]);
    expect(confirmed).toEqual([subscription()['SubscribeURL']]);
  });

  it('says what was expected of an authentic message that is about something else', async () => {
    const response = await post(signed(notification('{"__proto__":{"AlarmName":"x"}}')));
    expect([response.statusCode, response.json().detail]).toEqual([400, expect.stringContaining('EventBridge')]);
    expect((await post(signed(notification('hello')))).statusCode).toBe(400);
    const unviolated = vector('sns/model-monitor.json').replace('CompletedWithViolations', 'Failed');
    expect((await post(signed(notification(unviolated)))).json()).toMatchObject({ ignored: expect.any(String) });
    const unknown = vector('sns/alarm.json').replaceAll('traffic-signs-prod', 'elsewhere');
    expect((await post(signed(notification(unknown)))).statusCode).toBe(422);
  });

  it('answers 401 to what is no message of SNS, and 503 while a certificate cannot be fetched', async () => {
    for (const body of ['{not json', '[]', '{}', '{"Type":"Notification"}']) {
      expect((await post(body)).statusCode).toBe(401);
    }
    const { app: away } = await startApi({
      sns: {
        topics: [TOPIC],
        certificate: async () => {
          throw new Error('connect ECONNREFUSED 10.0.0.1:443');
        },
        confirm: async () => undefined,
      },
    });
    opened.push(away);
    const payload = JSON.stringify(signed(notification('{}')));
    const response = await away.inject({ method: 'POST', url: '/v1/alerts/sns', payload });
    expect([response.statusCode, response.body.includes('10.0.0.1')]).toEqual([503, false]);
  });
});
