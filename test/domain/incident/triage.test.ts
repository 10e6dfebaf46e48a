import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Alert } from '../../../domain/contracts/alert.ts';
import { INCIDENT_KINDS, SENSITIVITIES, SEVERITIES, type Severity } from '../../../domain/incident/kinds.ts';
import { maxSeverity, triage } from '../../../domain/incident/triage.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';

function alertOf(kind: Alert['kind'], claimedSeverity: Severity | null = null): Alert {
  return {
    source: 'generic',
    deliveryId: 'delivery-1',
    endpoint: 'gate',
    kind,
    status: 'firing',
    claimedSeverity,
    title: 'something is wrong',
    labels: {},
    startsAt: '2026-01-01T00:00:00Z',
    receivedAt: '2026-01-01T00:00:00Z',
    body: '{}',
    bodyDigest: digestOf('{}'),
  };
}

const alerts = fc.array(
  fc
    .tuple(fc.constantFrom(...INCIDENT_KINDS), fc.option(fc.constantFrom(...SEVERITIES)))
    .map(([kind, severity]) => alertOf(kind, severity)),
  { maxLength: 6 },
);
const sensitivities = fc.constantFrom(...SENSITIVITIES);
const rank = (severity: Severity): number => SEVERITIES.indexOf(severity);

describe('triage', () => {
  it.each([
    ['poisoning', 'low', 'data', 'high'],
    ['tampering', 'low', 'artifact', 'critical'],
    ['evasion', 'low', 'inference', 'medium'],
    ['extraction', 'moderate', 'inference', 'medium'],
    ['drift', 'low', 'inference', 'low'],
    ['drift', 'high', 'inference', 'medium'],
    ['drift', 'safety', 'inference', 'high'],
    ['unknown', 'low', 'unknown', 'medium'],
  ] as const)('takes %s on an endpoint of sensitivity %s in by %s, as %s', (kind, sensitivity, stage, severity) => {
    expect(triage([alertOf(kind)], sensitivity)).toMatchObject({ kind, stage, severity });
  });

  it('names the incident by the most specific kind that any alert claims', () => {
    expect(triage([alertOf('drift'), alertOf('poisoning'), alertOf('unknown')], 'low').kind).toBe('poisoning');
    expect(triage([alertOf('poisoning'), alertOf('tampering')], 'low').kind).toBe('tampering');
    expect(triage([], 'low')).toMatchObject({ kind: 'unknown', severity: 'medium' });
  });

  it('gives a reason for each rule that spoke, with the severity it asked for', () => {
    expect(triage([alertOf('drift', 'critical')], 'safety').reasons).toEqual([
      'drift starts at low',
      "the endpoint's sensitivity is safety, which asks for at least high",
      'an alert claims critical',
    ]);
  });

  it('is not calmed down by an alert of a milder kind that joins', () => {
    expect(triage([alertOf('unknown')], 'low').severity).toBe('medium');
    expect(triage([alertOf('unknown'), alertOf('drift')], 'low')).toMatchObject({ kind: 'drift', severity: 'medium' });
  });

  it('never gets milder by one more alert, whatever it claims', () => {
    fc.assert(
      fc.property(alerts, alerts, sensitivities, (some, more, sensitivity) => {
        fc.pre(some.length > 0);
        expect(rank(triage([...some, ...more], sensitivity).severity)).toBeGreaterThanOrEqual(
          rank(triage(some, sensitivity).severity),
        );
      }),
    );
  });

  it('never gets milder by a higher sensitivity', () => {
    fc.assert(
      fc.property(alerts, fc.nat(SENSITIVITIES.length - 1), fc.nat(SENSITIVITIES.length - 1), (some, one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        expect(rank(triage(some, SENSITIVITIES[more]!).severity)).toBeGreaterThanOrEqual(
          rank(triage(some, SENSITIVITIES[less]!).severity),
        );
      }),
    );
  });

  it('never gets milder by a higher claim, and is never below any claim', () => {
    fc.assert(
      fc.property(alerts, sensitivities, (some, sensitivity) => {
        const { severity } = triage(some, sensitivity);
        for (const alert of some)
          if (alert.claimedSeverity) expect(rank(severity)).toBeGreaterThanOrEqual(rank(alert.claimedSeverity));
        const claimedWorse = some.map((alert) => ({ ...alert, claimedSeverity: 'critical' as const }));
        if (some.length > 0) expect(triage(claimedWorse, sensitivity).severity).toBe('critical');
      }),
    );
  });

  it('does not depend on the order in which alerts came', () => {
    fc.assert(
      fc.property(alerts, sensitivities, (some, sensitivity) => {
        expect(triage(some.toReversed(), sensitivity)).toEqual(triage(some, sensitivity));
      }),
    );
  });
});

describe('maxSeverity', () => {
  it('is one of the given, and no other of them is worse', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...SEVERITIES), { minLength: 1 }), (severities) => {
        const worst = maxSeverity(severities);
        expect(severities).toContain(worst);
        for (const severity of severities) expect(rank(worst)).toBeGreaterThanOrEqual(rank(severity));
      }),
    );
  });

  it('is low where nothing is given', () => {
    expect(maxSeverity([])).toBe('low');
  });
});
