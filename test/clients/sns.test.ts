import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createSnsClient } from '../../clients/sns/client.ts';

let server: Server;
let url: string;
let asked: string[];
let waiting: ServerResponse[];

beforeEach(async () => {
  [asked, waiting] = [[], []];
  server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    if (path.startsWith('/moved')) response.writeHead(302, { location: '/certificate.pem' }).end();
    else if (path.startsWith('/gone')) response.writeHead(404).end();
    else if (path.startsWith('/large')) response.end('x'.repeat(65 * 1024));
    else if (path.startsWith('/slow')) waiting.push(response);
    else response.end('-----BEGIN CERTIFICATE-----');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterEach(async () => {
  for (const response of waiting) response.end();
  await new Promise((resolve) => server.close(resolve));
});

describe('the client of SNS', () => {
  it('fetches a certificate once, and again after a failure', async () => {
    const client = createSnsClient();
    for (let time = 0; time < 3; time += 1) {
      expect(await client.certificate(`${url}/certificate.pem`)).toBe('-----BEGIN CERTIFICATE-----');
    }
    expect(asked).toHaveLength(1);
    await expect(client.certificate(`${url}/gone.pem`)).rejects.toThrow(/404/);
    await expect(client.certificate(`${url}/gone.pem`)).rejects.toThrow(/404/);
    expect(asked).toHaveLength(3);
  });

  it('follows no redirect: it would lead away from the host that was checked', async () => {
    const client = createSnsClient();
    await expect(client.certificate(`${url}/moved.pem`)).rejects.toThrow();
    await expect(client.confirm(`${url}/moved`)).rejects.toThrow();
    expect(asked).toEqual(['/moved.pem', '/moved']);
  });

  it('reads no more than a certificate can be, and fetches few at once', async () => {
    const client = createSnsClient();
    await expect(client.certificate(`${url}/large.pem`)).rejects.toThrow(/larger/);
    const slow = [1, 2, 3, 4].map((number) => client.certificate(`${url}/slow${number}.pem`));
    await expect(client.certificate(`${url}/certificate.pem`)).rejects.toThrow(/too many/);
    while (waiting.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const response of waiting.splice(0)) response.end('late');
    expect(await Promise.all(slow)).toEqual(['late', 'late', 'late', 'late']);
    expect(await client.certificate(`${url}/certificate.pem`)).toBe('-----BEGIN CERTIFICATE-----');
  });

  it('visits the address that confirms a subscription', async () => {
    await createSnsClient().confirm(`${url}/?Action=ConfirmSubscription&Token=1`);
    expect(asked).toEqual(['/?Action=ConfirmSubscription&Token=1']);
  });
});
