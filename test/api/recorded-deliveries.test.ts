import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { alertSchema } from '../../domain/contracts/alert.ts';
import { startApi, type fakeIncidents } from './fakes.ts';
import { configuration, credentials } from './sender-table.ts';
import { vector } from './senders.ts';

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
