import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { approvalStatementSchema } from '../../domain/contracts/approval.ts';
import { APPROVAL_TYPE } from '../../domain/proofs/approval.ts';
import { verifyCompactJws } from '../../domain/proofs/jws.ts';
import { createSigner, publicKeyOf } from '../../evidence/keys/signer.ts';
import { verificationKeyOf } from '../../evidence/keys/trusted-keys.ts';
import { provision } from '../../station/provision.ts';
import { stationPaths } from '../../station/paths.ts';
import { lazaret } from './command.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const home = mkdtempSync(join(tmpdir(), 'lazaret-decide-'));
const paths = stationPaths(home);
let server: Server;
let url = '';
let waiting: unknown;
let received: { authorization: string; statement: string }[] = [];

/** An API that answers as the real one does, and keeps what it was handed. */
beforeAll(async () => {
  provision(paths, { admin: 'http://127.0.0.1:1', inference: 'http://127.0.0.1:2' });
  server = createServer((request, response) => {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (request.method === 'GET') return answer(200, { status: 'running', incident: 'digits-1a2b3c4d', waiting });
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { statement } = z.object({ statement: z.string() }).parse(JSON.parse(text));
      received.push({ authorization: request.headers.authorization ?? '', statement });
      if (request.url?.includes('refused'))
        answer(409, { title: 'Refused', detail: 'sol has already said "approve" here', code: 'approval/refused' });
      else answer(200, { accepted: true, gate: 'release', person: 'sol', remaining: 1 });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  received = [];
  waiting = {
    for: 'approval',
    gate: 'release',
    digest: DIGEST,
    since: '2026-01-01T00:00:00Z',
    missing: [['security-lead'], ['model-owner']],
    summary: 'the repaired model',
  };
});

const decide = (verb: string, id: string, ...more: string[]) =>
  lazaret(['incident', verb, id, '--home', home, '--api', url, ...more]);

describe('a decision', () => {
  it('is handed out instead of in with --print, as the JSON string that Temporal takes', async () => {
    const ran = await decide('approve', 'digits-1a2b3c4d', '--as', 'sol', '--yes', '--print');
    expect(ran.status).toBe(0);
    expect(received).toEqual([]);
    const pasted: unknown = JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '');
    expect(String(pasted).split('.')).toHaveLength(3);
  });

  it('is signed with the key of the person, about what the gate shows, in the role it asks for', async () => {
    const ran = await decide('approve', 'digits-1a2b3c4d', '--as', 'sol', '--yes', '--json');
    expect(ran.status).toBe(0);
    expect(ran.json()).toMatchObject({ accepted: true, remaining: 1 });
    const [{ statement, authorization } = { statement: '', authorization: '' }] = received;
    const signer = createSigner({
      name: 'sol',
      privatePem: readFileSync(join(paths.people, 'sol', 'key.pem'), 'utf8'),
    });
    const { payload } = verifyCompactJws(statement, {
      typ: APPROVAL_TYPE,
      keys: [verificationKeyOf(publicKeyOf(signer))],
    });
    expect(approvalStatementSchema.parse(payload)).toMatchObject({
      incident: 'digits-1a2b3c4d',
      gate: 'release',
      digest: DIGEST,
      decision: 'approve',
      person: 'sol',
      role: 'security-lead',
      vouchedBy: null,
    });
    expect(authorization).toBe(`Bearer ${readFileSync(join(paths.people, 'sol', 'token'), 'utf8')}`);
  });

  it('shows what is approved, and signs nothing where nobody could be asked', async () => {
    const ran = await decide('approve', 'digits-1a2b3c4d', '--as', 'sol');
    expect(ran.status).toBe(2);
    expect(ran.stdout).toContain('the repaired model');
    expect(ran.stdout).toContain(DIGEST);
    expect(received).toEqual([]);
  });

  it('is not made about another digest than the one that was meant', async () => {
    const ran = await decide(
      'approve',
      'digits-1a2b3c4d',
      '--as',
      'sol',
      '--yes',
      '--digest',
      `sha256:${'00'.repeat(32)}`,
    );
    expect(ran.status).toBe(1);
    expect(received).toEqual([]);
  });

  it('asks for a reason where the word is a hard one', async () => {
    expect((await decide('reject', 'digits-1a2b3c4d', '--as', 'sol', '--yes')).status).toBe(2);
    expect((await decide('cancel', 'digits-1a2b3c4d', '--as', 'ada', '--yes', '--reason', 'a drill')).status).toBe(0);
    const [sent] = received;
    expect(sent).toBeDefined();
  });

  it('sets a severity that exists, with a reason', async () => {
    const odd = await decide('severity', 'digits-1a2b3c4d', 'awful', '--as', 'ada', '--yes', '--reason', 'x');
    expect(odd.status).toBe(2);
    expect(odd.stderr).toContain('low, medium, high, critical');
    expect((await decide('severity', 'digits-1a2b3c4d', 'low', '--as', 'ada', '--yes')).status).toBe(2);
    const lab = await decide('severity', 'digits-1a2b3c4d', 'low', '--as', 'ada', '--yes', '--reason', 'a lab copy');
    expect(lab.status).toBe(0);
  });

  it('is not made where nothing waits for it', async () => {
    waiting = { for: 'nothing' };
    const ran = await decide('approve', 'digits-1a2b3c4d', '--as', 'sol', '--yes');
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain('nothing waits for "approve"');
  });

  it('tells the refusal of the workflow in its own words', async () => {
    const ran = await decide('approve', 'refused-1a2b3c4d', '--as', 'sol', '--yes', '--json');
    expect(ran.status).toBe(1);
    expect(ran.json()).toEqual({ error: { code: 'approval/refused', message: 'sol has already said "approve" here' } });
  });

  it('needs a person that is known here', async () => {
    const ran = await decide('approve', 'digits-1a2b3c4d', '--as', 'eve', '--yes');
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('--token-file');
  });
});
