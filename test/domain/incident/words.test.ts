import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { isContained, limitsSchema, stanceSchema, type Stance } from '../../../domain/contracts/stance.ts';
import { INCIDENT_KINDS, OUTCOMES, PHASES, SENSITIVITIES, SEVERITIES, STAGES } from '../../../domain/incident/kinds.ts';
import type { IncidentState, Waiting } from '../../../domain/incident/state.ts';
import { digestOf } from '../../../domain/proofs/digest.ts';

const vocabularies = { INCIDENT_KINDS, SEVERITIES, SENSITIVITIES, STAGES, PHASES, OUTCOMES };

describe('the words of an incident', () => {
  it.each(Object.entries(vocabularies))('%s has each word once, in lower case', (_name, words) => {
    expect(new Set(words).size).toBe(words.length);
    for (const word of words) expect(word).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });

  it('run through the phases in the order of the runbook', () => {
    const runbook = readFileSync(new URL('../../../workflows/incident.ts', import.meta.url), 'utf8');
    const places = PHASES.map((phase) => runbook.indexOf(`open.phase('${phase}'`));
    for (const place of places.slice(0, -1)) expect(place).toBeGreaterThan(0);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  it('tell every thing an incident can wait for apart by one word', () => {
    const said: Record<Waiting['for'], string> = {
      nothing: 'it works',
      trainer: 'a trainer',
      approval: 'an approval',
      command: 'a command',
    };
    const status: Record<IncidentState['status'], string> = { running: 'it is open', closed: 'it has ended' };
    expect(Object.keys(said)).toHaveLength(4);
    expect(Object.keys(status)).toHaveLength(2);
  });

  it('call a stance contained exactly when the suspect does not answer as it used to', () => {
    const object = { store: 'artifacts', digest: digestOf('m'), bytes: 1, mediaType: 'm', name: 'm' } as const;
    const model = { version: '1', artifact: object, signature: object };
    const stances: Record<Stance['kind'], [Stance, boolean]> = {
      serving: [{ kind: 'serving', model, standby: null }, false],
      canary: [{ kind: 'canary', model, candidate: model, share: 0.5 }, false],
      mirror: [{ kind: 'mirror', model, beside: model, share: 0.5 }, false],
      limited: [{ kind: 'limited', model, limits: limitsSchema.parse({}) }, true],
      shadow: [{ kind: 'shadow', model, observed: null }, true],
      fallback: [{ kind: 'fallback', rules: [{ when: null, scores: [1], reason: 'r' }] }, true],
      isolated: [{ kind: 'isolated', reason: 'r' }, true],
      found: [{ kind: 'found', state: digestOf('s'), words: 'w' }, false],
    };
    for (const [stance, contained] of Object.values(stances)) {
      expect(stanceSchema.parse(stance)).toEqual(stance);
      expect(isContained(stance)).toBe(contained);
    }
  });
});
