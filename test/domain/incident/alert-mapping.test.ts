import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { endpointsOf, kindOf, severityOf } from '../../../domain/incident/alert-mapping.ts';
import { INCIDENT_KINDS } from '../../../domain/incident/kinds.ts';

const MODEL_OF = { signs: 'digits', lanes: 'digits', speech: 'words' };

describe('what the labels of an alert mean', () => {
  it('takes the kind from its label, else from the name', () => {
    expect(kindOf({ kind: 'Evasion', alertname: 'DriftDetected' })).toBe('evasion');
    expect(kindOf({ kind: 'nonsense', alertname: 'ModelSignatureDrift' })).toBe('tampering');
    const names = {
      DriftDetected: 'drift',
      TrainingDataPoisoned: 'poisoning',
      ModelExtractionRate: 'extraction',
      AdversarialInputs: 'evasion',
      HighLatency: 'unknown',
    };
    for (const [alertname, kind] of Object.entries(names)) expect(kindOf({ alertname })).toBe(kind);
  });

  it('knows the severities of paging systems, and claims nothing for others', () => {
    expect([
      severityOf({ severity: 'page' }),
      severityOf({ severity: 'CRITICAL' }),
      severityOf({ severity: 'warning' }),
    ]).toEqual(['high', 'critical', 'medium']);
    for (const severity of ['', 'purple', 'constructor', '__proto__']) expect(severityOf({ severity })).toBeNull();
    expect(severityOf({})).toBeNull();
  });

  it('finds the endpoint by its label, by its name as model, or all that serve the model', () => {
    expect(endpointsOf({ endpoint: 'signs', model: 'words' }, { modelOf: MODEL_OF })).toEqual(['signs']);
    expect(endpointsOf({ model: 'speech' }, { modelOf: MODEL_OF })).toEqual(['speech']);
    expect(endpointsOf({ model: 'digits' }, { modelOf: MODEL_OF })).toEqual(['signs', 'lanes']);
    const strangers: Record<string, string>[] = [
      {},
      { endpoint: 'elsewhere', model: 'digits' },
      { endpoint: '__proto__' },
      { model: 'constructor' },
    ];
    for (const labels of strangers) expect(endpointsOf(labels, { modelOf: MODEL_OF })).toEqual([]);
  });

  it('has an answer for every set of labels', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (labels) => {
        expect(INCIDENT_KINDS).toContain(kindOf(labels));
        expect(Object.keys(MODEL_OF)).toEqual(expect.arrayContaining([...endpointsOf(labels, { modelOf: MODEL_OF })]));
      }),
    );
  });
});
