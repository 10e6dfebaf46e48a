import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createCloudEventSender, type OwnAlert } from '../../clients/alerts/cloud-event-sender.ts';
import { NOW, startApi, type fakeIncidents } from './fakes.ts';
import { STANDARD_SECRET } from './senders.ts';

const ALARM: OwnAlert = {
  id: 'alarm_7f3a-1',
  source: '/lazaret/gateway/signs-0',
  type: 'eu.lazaret.sentinel.confidence',
  endpoint: 'signs',
  kind: 'drift',
  title: 'Confidence is below the golden profile',
  labels: { sentinel: 'confidence', figure: '-0.21' },
  at: '2026-06-01T11:59:59.000Z',
};

describe("a gateway's own alarm", () => {
  let app: NestFastifyApplication;
  let incidents: ReturnType<typeof fakeIncidents>;
  let url: string;
  beforeAll(async () => {
    ({ app, incidents } = await startApi({ credentials: { cloudevents: STANDARD_SECRET } }));
    await app.listen(0, '127.0.0.1');
    url = `${await app.getUrl()}/v1/alerts/cloudevents`;
  });
  afterAll(() => app.close());

  it('is taken at the door of CloudEvents, once, as what it says', async () => {
    const send = createCloudEventSender({ url, secret: STANDARD_SECRET, now: () => NOW });
    await send(ALARM);
    await send(ALARM);
    expect(incidents.alerts).toHaveLength(1);
    expect(incidents.alerts[0]).toMatchObject({
      source: 'cloudevents',
      endpoint: 'signs',
      kind: 'drift',
      title: ALARM.title,
      labels: ALARM.labels,
      startsAt: ALARM.at,
    });
  });

  it('is refused with another secret, for an endpoint that nobody declared, or from a clock that is wrong', async () => {
    const other = `whsec_${Buffer.from('another secret of thirty-two byt').toString('base64')}`;
    const before = incidents.alerts.length;
    for (const [secret, now, alarm, reason] of [
      [other, NOW, ALARM, /401/],
      [STANDARD_SECRET, new Date(NOW.getTime() + 301_000), ALARM, /401.*stale/],
      [STANDARD_SECRET, NOW, { ...ALARM, id: 'alarm_2', endpoint: 'elsewhere' }, /422.*elsewhere/],
    ] as const) {
      const send = createCloudEventSender({ url, secret, now: () => now });
      await expect(send(alarm)).rejects.toThrow(reason);
    }
    expect(incidents.alerts).toHaveLength(before);
  });
});
