import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { alertSchema } from '../../domain/contracts/alert.ts';
import { startApi, type fakeIncidents } from './fakes.ts';
import { SENDERS, configuration, credentials, type Headers } from './sender-table.ts';

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
