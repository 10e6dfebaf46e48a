import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { isContained } from '../../domain/contracts/stance.ts';
import type { IncidentState } from '../../domain/incident/state.ts';
import { verifyBundle } from '../../evidence/bundle/verify.ts';
import { createDoors } from '../../station/drills/doors.ts';
import { runSticker } from '../../station/drills/sticker/index.ts';
import { signDecision } from '../../station/drills/people.ts';
import type { DrillOutcome } from '../../station/drill.ts';
import { missingForStation, startTestStation, type TestStation } from './station.ts';

const missing = missingForStation();
const whole = missing ? describe.skip : describe;

whole(`the drill sticker${missing ? ` (skipped: ${missing} is missing)` : ''}`, () => {
  let at: TestStation;
  beforeAll(async () => {
    at = await startTestStation();
  }, 120_000);
  afterAll(async () => {
    await at?.stop();
  }, 60_000);

  it('ends well although each process is killed once in the middle and people send words that do not count', async () => {
    const killed: string[] = [];
    const refused: Record<string, number> = {};
    const kill = (name: 'gateway' | 'response' | 'trainer' | 'api'): void => {
      if (killed.includes(name)) return;
      killed.push(name);
      at.station.kill(name);
    };

    const outcome = await runSticker(at.station.describe(), () => {}, {
      onStep: (step) => {
        if (step === 'preserve preserve capture') kill('gateway');
        if (step === 'investigate analyse') kill('response');
        if (step === 'eradicate sanitize dataset') kill('trainer');
      },
      onGate: async (gate, state) => {
        if (gate === 'plan') {
          await sendWhatDoesNotCount(at, state, refused);
          kill('api');
        } else {
          refused['one person twice'] = await onePersonTwice(at, state);
        }
      },
    });

    expect(shortfallOf(outcome)).toBeNull();
    expect(killed.sort()).toEqual(['api', 'gateway', 'response', 'trainer']);
    expect(refused).toEqual({
      forged: 409,
      'old digest': 409,
      'role not held': 409,
      'somebody else’s role': 409,
      'one person twice': 409,
    });
    await evidenceAndStanceAreRight(at, outcome);
  }, 240_000);

  it('ends well although S3 is away for 20 s and the trainer for a minute', async () => {
    const waits = new Set<string>();
    const outages: Promise<void>[] = [];
    const outcome = await runSticker(at.station.describe(), () => {}, {
      onStep: (step) => {
        if (step === 'contain capture and swap' && outages.length === 0) outages.push(takeAway(at, 's3', 20_000));
      },
      onGate: async (gate) => {
        if (gate !== 'plan') return;
        await Promise.all(outages);
        outages.push(takeAway(at, 'trainer', 60_000));
      },
      onState: (state) => {
        if (state.status === 'running') waits.add(state.waiting.for);
      },
    });
    await Promise.all(outages);
    expect(shortfallOf(outcome)).toBeNull();
    // People were told that nobody served the queue.
    expect(waits).toContain('trainer');
    await evidenceAndStanceAreRight(at, outcome);
  }, 300_000);
});

async function takeAway(at: TestStation, name: 's3' | 'trainer', ms: number): Promise<void> {
  await at.station.takeAway(name);
  await new Promise((resolve) => setTimeout(resolve, ms));
  await at.station.bringBack(name);
}

async function sendWhatDoesNotCount(
  at: TestStation,
  state: IncidentState & { status: 'running' },
  refused: Record<string, number>,
): Promise<void> {
  const station = at.station.describe();
  const doors = createDoors(station);
  if (state.waiting.for !== 'approval') throw new Error('no gate is open');
  const about = {
    incident: state.incident,
    gate: 'plan',
    digest: state.waiting.digest,
    decision: 'approve',
    reason: 'attack',
  } as const;
  const honest = await signDecision(station, { person: 'ada', role: 'ml-engineer' }, about);
  const [header, , signature] = honest.split('.');
  const claims = Buffer.from(
    JSON.stringify({
      ...about,
      person: 'sol',
      role: 'security-lead',
      vouchedBy: null,
      issuedAt: new Date().toISOString(),
      nonce: 'n'.repeat(20),
    }),
  );
  const tries: Record<string, string> = {
    forged: `${header}.${claims.toString('base64url')}.${signature}`,
    'old digest': await signDecision(
      station,
      { person: 'ada', role: 'ml-engineer' },
      { ...about, digest: `sha256:${'0'.repeat(64)}` },
    ),
    'role not held': await signDecision(station, { person: 'ada', role: 'security-lead' }, about),
    'somebody else’s role': await signDecision(station, { person: 'mo', role: 'model-owner' }, about),
  };
  for (const [name, statement] of Object.entries(tries))
    refused[name] = (await doors.decide(state.incident, statement)).status;
}

async function onePersonTwice(at: TestStation, state: IncidentState & { status: 'running' }): Promise<number> {
  const station = at.station.describe();
  const doors = createDoors(station);
  if (state.waiting.for !== 'approval') throw new Error('no gate is open');
  const about = {
    incident: state.incident,
    gate: 'release',
    digest: state.waiting.digest,
    decision: 'approve',
    reason: 'once more',
  } as const;
  const first = await doors.decide(
    state.incident,
    await signDecision(station, { person: 'mo', role: 'model-owner' }, about),
  );
  expect(first.status).toBe(200);
  return (await doors.decide(state.incident, await signDecision(station, { person: 'mo', role: 'model-owner' }, about)))
    .status;
}

/** The bundle verifies offline and one flipped bit does not; every endpoint serves, none is held. */
async function evidenceAndStanceAreRight(at: TestStation, outcome: DrillOutcome): Promise<void> {
  const bytes = new Uint8Array(readFileSync(outcome.bundle!));
  const trust = JSON.parse(readFileSync(at.station.describe().paths.trust, 'utf8'));
  const report = verifyBundle(bytes, { trust });
  expect(report.checks.filter((check) => !check.passed)).toEqual([]);
  const flipped = Uint8Array.from(bytes);
  flipped[Math.floor(bytes.length / 3)]! ^= 4;
  expect(verifyBundle(flipped, { trust }).ok).toBe(false);
  for (const endpoint of ['digits', 'digits-kiosk', 'digits-archive']) {
    const status = await at.adapter.read(endpoint);
    expect(status).toMatchObject({ endpoint, incident: null });
    expect(isContained(status.stance)).toBe(false);
  }
}

/** What fell short, in words, so that a failing run tells why. */
function shortfallOf(outcome: DrillOutcome): string | null {
  if (outcome.ok) return null;
  const missed = outcome.figures
    .filter((figure) => !figure.met)
    .map((figure) => `${figure.name} = ${figure.value} (${figure.target})`);
  return [outcome.code, outcome.message, ...missed].join('; ');
}
