import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { startApi, type fakeIncidents } from './fakes.ts';
import { configuration, credentials, type Headers } from './sender-table.ts';
import { seconds, senders, vector } from './senders.ts';

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
