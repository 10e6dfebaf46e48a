import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { verifyGitHub } from '../../api/intake/sources/github.ts';
import { verifyGrafana } from '../../api/intake/sources/grafana.ts';
import { verifyMlflow } from '../../api/intake/sources/mlflow.ts';
import { verifyPagerDuty } from '../../api/intake/sources/pagerduty.ts';
import type { Delivery, Verdict } from '../../api/intake/source.ts';
import { NOW } from './fakes.ts';
import { SECRETS, senders } from './senders.ts';

type Headers = Record<string, string>;

const SCHEMES: readonly (readonly [string, (body: string) => Headers, (delivery: Delivery) => Verdict, string[]])[] = [
  ['Grafana', senders.grafana, (delivery) => verifyGrafana(delivery, SECRETS.grafana), []],
  // The second signature is the right one; the first belongs to a secret that is being rotated, and the id is not signed.
  [
    'PagerDuty',
    (body) => ({ 'x-pagerduty-signature': senders.pagerduty(body)['x-pagerduty-signature'].slice(68) }),
    (delivery) => verifyPagerDuty(delivery, SECRETS.pagerduty),
    [],
  ],
  [
    'GitHub',
    senders.github,
    (delivery) => verifyGitHub(delivery, SECRETS.github),
    ['x-github-event', 'x-github-delivery'],
  ],
  ['MLflow', senders.mlflow, (delivery) => verifyMlflow(delivery, SECRETS.mlflow), []],
];

const deliveryOf = (headers: Headers, raw: Buffer): Delivery => ({
  header: (name) => headers[name],
  headers,
  raw,
  receivedAt: NOW,
});

function flip(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

describe.each(SCHEMES)("%s's signature", (_name, sign, verify, unsigned) => {
  it('is right over any body, and wrong once one bit of the body or of what it signs is another', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.nat(), (body, which, at) => {
        const headers = sign(body);
        expect(verify(deliveryOf(headers, Buffer.from(body)))).toMatchObject({ ok: true });
        const parts = ['body', ...Object.keys(headers).filter((name) => !unsigned.includes(name))];
        const part = parts[which % parts.length] ?? 'body';
        const bytes = part === 'body' ? Buffer.from(body) : Buffer.from(headers[part] ?? '', 'latin1');
        const flipped = flip(bytes, at % (bytes.length * 8));
        const changed =
          part === 'body'
            ? deliveryOf(headers, flipped)
            : deliveryOf({ ...headers, [part]: flipped.toString('latin1') }, Buffer.from(body));
        expect(verify(changed).ok).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('is wrong where a part of it is missing or empty, and over no body', () => {
    const body = '{"a":1}';
    const headers = sign(body);
    for (const name of Object.keys(headers).filter((one) => !unsigned.includes(one))) {
      const { [name]: __, ...less } = headers;
      expect(verify(deliveryOf(less, Buffer.from(body))).ok).toBe(false);
      expect(verify(deliveryOf({ ...headers, [name]: '' }, Buffer.from(body))).ok).toBe(false);
    }
    expect(verify(deliveryOf(headers, Buffer.alloc(0))).ok).toBe(false);
  });
});
