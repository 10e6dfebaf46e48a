import { beforeEach, describe, expect, it } from '@jest/globals';
import { createCaseLogActivities } from '../../activities/case-log.ts';
import { createGoldenCache } from '../../activities/golden-cache.ts';
import { createTriageActivities } from '../../activities/triage.ts';
import type { CaseEntry } from '../../domain/contracts/case-log.ts';
import { canonicalJson } from '../../domain/proofs/canonical-json.ts';
import { merkleRootHex } from '../../domain/proofs/merkle.ts';
import { DOCUMENTS } from '../../evidence/ports.ts';
import { createWorld, INCIDENT, NOW, type World } from './world.ts';

let world: World;
beforeEach(() => {
  world = createWorld();
});

const entry = (seq: number, summary = `step ${seq}`): CaseEntry => ({
  schema: 'lazaret.case-entry/v1',
  incident: INCIDENT,
  seq,
  at: NOW,
  phase: 'triage',
  step: 'step',
  actor: 'lazaret',
  inputs: [],
  outputs: [],
  verdict: 'done',
  summary,
  statement: null,
});
const entries = [entry(0), entry(1), entry(2)];
const head = { size: 3, root: merkleRootHex(entries.map((one) => canonicalJson(one))) };

describe('the case log’s activities', () => {
  it('append the same entries any number of times, and sign one checkpoint over them', async () => {
    const log = createCaseLogActivities(world.deps);
    await log.appendLog({ incident: INCIDENT, entries });
    await log.appendLog({ incident: INCIDENT, entries: entries.slice(1) });
    const { checkpoint } = await log.signCheckpoint({ incident: INCIDENT, head });
    expect(await log.signCheckpoint({ incident: INCIDENT, head })).toEqual({ checkpoint });
    expect(await world.store.listEvidence(`cases/${INCIDENT}/`)).toHaveLength(4);
  });

  it('refuse another entry at the same place', async () => {
    const log = createCaseLogActivities(world.deps);
    await log.appendLog({ incident: INCIDENT, entries });
    await expect(
      log.appendLog({ incident: INCIDENT, entries: [entry(1, 'nothing happened here')] }),
    ).rejects.toMatchObject({ code: 'evidence/diverged' });
  });

  it('do not sign what S3 and the workflow do not agree on', async () => {
    const log = createCaseLogActivities(world.deps);
    await log.appendLog({ incident: INCIDENT, entries });
    world.store.buckets.evidence.set(
      DOCUMENTS.caseEntry(INCIDENT, 1),
      new TextEncoder().encode(canonicalJson(entry(1, 'changed'))),
    );
    await expect(log.signCheckpoint({ incident: INCIDENT, head })).rejects.toMatchObject({ code: 'evidence/diverged' });
  });

  it('pass on what people are to be told', async () => {
    const told: unknown[] = [];
    const log = createCaseLogActivities({ ...world.deps, notify: async (message) => void told.push(message) });
    await log.notify({ incident: INCIDENT, endpoint: 'gate', subject: 'waits', body: 'for you' });
    expect(told).toEqual([{ incident: INCIDENT, endpoint: 'gate', subject: 'waits', body: 'for you' }]);
  });
});

describe('the brief', () => {
  it('says what the owner declared, and brings the trust root from the worker’s configuration', async () => {
    const brief = await createTriageActivities(world.deps).brief({ endpoint: 'gate' });
    expect(brief).toMatchObject({ endpoint: 'gate', model: 'digits', sensitivity: 'moderate' });
    expect(brief.containment).toEqual({ critical: 'isolate', high: 'shadow', medium: 'shadow', low: 'none' });
    expect(brief.trust).toBe(world.deps.trustRoot);
  });

  it('names the endpoints that are declared when it is asked for another', async () => {
    await expect(createTriageActivities(world.deps).brief({ endpoint: 'elsewhere' })).rejects.toMatchObject({
      code: 'endpoint/unknown',
      message: expect.stringContaining('gate, kiosk'),
    });
  });
});

describe('the golden models in memory', () => {
  it('stay as they were when the registry cannot be read or does not verify any more', async () => {
    const cache = createGoldenCache(world.deps.registry, ['digits']);
    expect(cache.current('digits')).toBeNull();
    world.store.overwrite(DOCUMENTS.goldenLatest('digits'), 'not a pointer');
    await expect(cache.refresh()).rejects.toMatchObject({ code: 'golden/untrusted' });
    expect(cache.current('digits')).toBeNull();
    world.store.away(true);
    await expect(cache.refresh()).rejects.toMatchObject({ code: 'storage/unavailable' });
  });
});
