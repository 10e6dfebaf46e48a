import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createBundleExport } from '../../api/evidence/bundle-export.ts';
import { openApiText } from '../../api/openapi.ts';
import { DecisionRefused, WorkerSilent } from '../../clients/temporal/errors.ts';
import { approvalStatementSchema } from '../../domain/contracts/approval.ts';
import { verifyCompactJws } from '../../domain/proofs/jws.ts';
import type { ApiDeps } from '../../api/ports.ts';
import { createPublicKey } from 'node:crypto';
import { ADA, GUS, MAX, decode, entry, fakeIncidents, startApi } from './fakes.ts';

const INCIDENT = 'signs-0123abcd';
let app: NestFastifyApplication;
let incidents: ReturnType<typeof fakeIncidents>;
let deps: ApiDeps;

beforeAll(async () => {
  ({ app, incidents, deps } = await startApi());
  const { title } = { title: 'raised by hand' };
  const raised = await as(ADA, '/v1/incidents', { endpoint: 'signs', kind: 'poisoning', title });
  expect(raised.statusCode).toBe(202);
});
afterAll(() => app.close());

const as = (token: string | null, url: string, payload?: object) =>
  app.inject({
    method: payload ? 'POST' : 'GET',
    url,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(payload ? { 'content-type': 'application/json' } : {}),
    },
    ...(payload ? { payload: JSON.stringify(payload) } : {}),
  });

describe('people', () => {
  it('are told who they are', async () => {
    expect((await as(GUS, '/v1/me')).json()).toEqual({ id: 'gus', name: 'Gus', roles: ['on-call'] });
  });

  it('sign in with their token; nobody else reads or decides anything', async () => {
    const paths = [
      '/v1/incidents',
      `/v1/incidents/${INCIDENT}`,
      `/v1/incidents/${INCIDENT}/entries`,
      `/v1/incidents/${INCIDENT}/stream`,
    ];
    const more = [
      `/v1/incidents/${INCIDENT}/report.html`,
      `/v1/incidents/${INCIDENT}/bundle`,
      '/v1/golden',
      '/v1/endpoints',
      '/v1/training/job-1',
    ];
    for (const path of [...paths, ...more]) {
      for (const token of [null, 'wrong', '-']) expect((await as(token, path)).statusCode).toBeGreaterThanOrEqual(401);
    }
    expect((await as(MAX, '/v1/incidents')).json().incidents).toHaveLength(1);
  });
});

describe('incidents', () => {
  it('are raised by hand with the name of who did it', () => {
    expect(incidents.alerts[0]).toMatchObject({ source: 'operator', labels: { raisedBy: 'ada' } });
  });

  it('are listed with filters, and odd filters are refused', async () => {
    expect((await as(ADA, '/v1/incidents?open=true&limit=5')).json().incidents[0]).toMatchObject({
      incident: INCIDENT,
      waiting: 'plan',
    });
    for (const odd of ['limit=501', 'limit=x', 'open=yes', 'endpoint=A"', 'sort=1']) {
      expect((await as(ADA, `/v1/incidents?${odd}`)).statusCode).toBe(400);
    }
  });

  it('answer 404 for a name that never was', async () => {
    for (const path of ['', '/entries', '/stream', '/bundle', '/report.md']) {
      const response = await as(ADA, `/v1/incidents/signs-ffffffff${path}`);
      expect([response.statusCode, response.headers['content-type']]).toEqual([404, 'application/problem+json']);
    }
  });

  it('give their log from an entry on', async () => {
    const { entries } = (await as(ADA, `/v1/incidents/${INCIDENT}/entries?from=1`)).json();
    expect(entries.map((entry: { seq: number }) => entry.seq)).toEqual([1]);
  });

  it('stream their log as events that no entry can forge, and go on after the last one seen', async () => {
    const stream = await as(ADA, `/v1/incidents/${INCIDENT}/stream`);
    expect(stream.headers['content-type']).toContain('text/event-stream');
    expect(stream.body.match(/^event: .*$/gm)).toEqual(['event: entry', 'event: entry', 'event: end']);
    const later = await app.inject({
      url: `/v1/incidents/${INCIDENT}/stream`,
      headers: { authorization: `Bearer ${ADA}`, 'last-event-id': '0' },
    });
    expect(later.body.match(/^id: .*$/gm)).toEqual(['id: 1']);
  });

  it('stop being watched when the reader goes away', async () => {
    let watching = 0;
    const { client, open } = fakeIncidents();
    open.add('signs');
    const endless: typeof client.watch = async function* () {
      watching += 1;
      try {
        for (let seq = 0; ; seq += 1) {
          yield [entry(seq, 'more')];
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      } finally {
        watching -= 1;
      }
    };
    const busy = await startApi({ incidents: { ...client, watch: endless } });
    await busy.app.listen(0, '127.0.0.1');
    const leave = new AbortController();
    const url = `${await busy.app.getUrl()}/v1/incidents/${INCIDENT}/stream`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${ADA}` }, signal: leave.signal });
    await response.body?.getReader().read();
    expect(watching).toBe(1);
    leave.abort();
    for (let attempt = 0; attempt < 100 && watching > 0; attempt += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(watching).toBe(0);
    await busy.app.close();
  });

  it('say so when no worker answers', async () => {
    const silent = await startApi();
    await silent.incidents.client.raiseAlert(incidents.alerts[0] ?? fail());
    silent.incidents.goAway(new WorkerSilent());
    const response = await silent.app.inject({
      url: `/v1/incidents/${INCIDENT}`,
      headers: { authorization: `Bearer ${ADA}` },
    });
    expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '5']);
    await silent.app.close();
  });
});

describe('decisions', () => {
  const decision = { gate: 'plan', digest: 'sha256:d', decision: 'approve', role: 'security-lead' };

  it('are vouched for: signed by the API in the name of the caller, never of somebody else', async () => {
    const response = await as(ADA, `/v1/incidents/${INCIDENT}/decisions`, decision);
    expect(response.json()).toMatchObject({ accepted: true, person: 'ada' });
    const statement = incidents.statements.at(-1) ?? '';
    const raw = Buffer.from(
      createPublicKey(deps.voucher.publicKeyPem).export({ format: 'jwk' }).x ?? '',
      'base64url',
    ).toString('hex');
    const { payload } = verifyCompactJws(statement, {
      typ: 'lazaret-approval+jws',
      keys: [{ kid: 'voucher-1', alg: 'EdDSA', raw }],
    });
    expect(approvalStatementSchema.parse(payload)).toMatchObject({
      incident: INCIDENT,
      person: 'ada',
      vouchedBy: 'voucher-1',
      role: 'security-lead',
    });
    expect((await as(ADA, `/v1/incidents/${INCIDENT}/decisions`, { ...decision, person: 'max' })).statusCode).toBe(400);
  });

  it('carry a nonce of their own each', async () => {
    for (let index = 0; index < 2; index += 1) await as(ADA, `/v1/incidents/${INCIDENT}/decisions`, decision);
    const nonces = incidents.statements.map((statement) => decode(statement)['nonce']);
    expect(new Set(nonces).size).toBe(nonces.length);
  });

  it('are refused in a role the caller does not hold', async () => {
    const response = await as(GUS, `/v1/incidents/${INCIDENT}/decisions`, decision);
    expect([response.statusCode, response.json().detail]).toEqual([
      403,
      'You do not hold the role security-lead; yours: on-call.',
    ]);
  });

  it('pass a signed statement through as it is', async () => {
    const statement = `e30.${Buffer.from('{"person":"eve"}').toString('base64url')}.c2ln`;
    expect((await as(GUS, `/v1/incidents/${INCIDENT}/decisions`, { statement })).statusCode).toBe(200);
    expect(incidents.statements.at(-1)).toBe(statement);
    expect((await as(GUS, `/v1/incidents/${INCIDENT}/decisions`, { statement: 'not a token' })).statusCode).toBe(400);
  });

  it("answer 409 with the workflow's sentence when it refuses", async () => {
    const response = await as(ADA, `/v1/incidents/${INCIDENT}/decisions`, { ...decision, digest: 'old' });
    expect([response.statusCode, response.json().detail]).toEqual([
      409,
      new DecisionRefused('The digest is not the one the gate asks about.').message,
    ]);
  });
});

describe('evidence', () => {
  it('has no report before the incident closes, and serves it in a sandbox afterwards', async () => {
    expect((await as(ADA, `/v1/incidents/${INCIDENT}/report.html`)).statusCode).toBe(409);
    const put = (text: string, mediaType: string) =>
      deps.store.put('evidence', new TextEncoder().encode(text), { mediaType, name: 'report' });
    const html = await put('<h1>report</h1>', 'text/html');
    const markdown = await put('# report', 'text/markdown');
    const closed = await startApi({ store: deps.store }, () => ({ status: 'closed', report: { html, markdown } }));
    await closed.incidents.client.raiseAlert(incidents.alerts[0] ?? fail());
    const read = (path: string) =>
      closed.app.inject({ url: `/v1/incidents/${INCIDENT}/${path}`, headers: { authorization: `Bearer ${ADA}` } });
    const page = await read('report.html');
    expect([page.body, page.headers['content-security-policy']]).toEqual([
      '<h1>report</h1>',
      expect.stringContaining('sandbox'),
    ]);
    expect((await read('report.md')).body).toBe('# report');
    await closed.app.close();
  });

  it('is not exported by an API that could not seal it', async () => {
    const trust = {
      machines: { schema: 'lazaret.trust/v1' as const, keys: [] },
      people: { people: [], vouchers: [], gates: deps.configuration.gates },
    };
    const exportBundle = createBundleExport({ store: deps.store, signer: null, trust, clock: deps.clock });
    const keyless = await startApi({ exportBundle });
    keyless.incidents.open.add('signs');
    const response = await keyless.app.inject({
      url: `/v1/incidents/${INCIDENT}/bundle`,
      headers: { authorization: `Bearer ${ADA}` },
    });
    expect([response.statusCode, response.json().detail]).toEqual([503, expect.stringContaining('export.pem')]);
    await keyless.app.close();
  });

  it('comes as a tar file', async () => {
    const bundle = await as(ADA, `/v1/incidents/${INCIDENT}/bundle`);
    expect([bundle.statusCode, bundle.headers['content-type'], bundle.body]).toEqual([200, 'application/x-tar', 'tar']);
    expect(bundle.headers['content-disposition']).toBe(`attachment; filename="${INCIDENT}.tar"`);
  });
});

describe('models', () => {
  const ref = { store: 'artifacts', digest: `sha256:${'0'.repeat(64)}`, bytes: 1, mediaType: 'x/y', name: 'n' };
  const dataset = { name: 'digits', manifest: ref, signature: ref };
  const hyperparameters = { epochs: 1, batchSize: 1, learningRate: 0.1, seed: 1 };

  it('are listed, and registered by those who may approve', async () => {
    expect((await as(GUS, '/v1/golden')).json().models).toEqual([
      { model: 'digits', latest: null, versions: ['v1'] },
      { model: 'lines', latest: null, versions: ['v1'] },
    ]);
    const registration = { model: 'digits', version: 'v2', artifact: ref, dataset, hyperparameters };
    expect((await as(GUS, '/v1/golden', registration)).statusCode).toBe(403);
    const response = await as(MAX, '/v1/golden', registration);
    expect([response.statusCode, response.json()]).toEqual([202, { id: 'digits:v2' }]);
    expect((await as(MAX, '/v1/golden', { ...registration, model: 'other' })).statusCode).toBe(400);
  });

  it('are trained by request', async () => {
    const job = {
      schema: 'lazaret.train-job/v1',
      jobId: 'job-1',
      objective: 'standard',
      base: ref,
      dataset,
      hyperparameters,
      budget: { seconds: 1, steps: 1 },
      checkpointEverySteps: 1,
    };
    const response = await as(MAX, '/v1/training', { job, queue: 'trainer', builder: 'pipeline' });
    expect([response.statusCode, response.json()]).toEqual([202, { id: 'job-1' }]);
    expect((await as(GUS, '/v1/training/job-1')).json()).toEqual({ status: 'running' });
    expect((await as(GUS, '/v1/training/job-2')).statusCode).toBe(404);
  });
});

describe('the process', () => {
  it('tells whether it lives and whether it is ready', async () => {
    expect((await as(null, '/healthz')).json()).toEqual({ status: 'ok' });
    expect((await as(null, '/readyz')).json()).toEqual({ status: 'ready', checks: { temporal: 'ok', s3: 'ok' } });
    incidents.goAway(new Error('away'));
    const unready = await as(null, '/readyz');
    incidents.goAway(null);
    expect([unready.statusCode, unready.json().checks]).toEqual([503, { temporal: 'away', s3: 'ok' }]);
  });

  it('counts requests by route pattern, not by what the caller wrote', async () => {
    await as(ADA, `/v1/incidents/some-ffffffff`);
    const { body } = await as(null, '/metrics');
    expect(body).toContain('route="/v1/incidents/:incident"');
    expect(body).not.toContain('some-ffffffff');
  });

  it('serves the console with a policy that runs nothing else', async () => {
    const page = await as(null, '/');
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.body).not.toMatch(/<script>|<style>|style="| on\w+="|https?:\/\//);
    for (const path of ['/console/app.js', '/console/style.css']) expect((await as(null, path)).statusCode).toBe(200);
  });

  it('gives every answer its request id and security headers', async () => {
    for (const path of ['/healthz', '/nowhere', '/v1/incidents']) {
      const { headers } = await app.inject({ url: path, headers: { 'x-request-id': 'trace-12345' } });
      expect(headers).toMatchObject({
        'x-request-id': 'trace-12345',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
      });
    }
    expect(
      (await app.inject({ url: '/healthz', headers: { 'x-request-id': 'a b' } })).headers['x-request-id'],
    ).not.toBe('a b');
  });

  it('has a current description in docs/openapi.json', async () => {
    const document = (await as(null, '/openapi.json')).json();
    expect(readFileSync('docs/openapi.json', 'utf8')).toBe(openApiText(document));
  });
});

function fail(): never {
  throw new Error('no alert was raised');
}
