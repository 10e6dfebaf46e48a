import { describe, expect, it } from '@jest/globals';
import { configurationSchema, type Configuration } from '../../../domain/contracts/configuration.ts';
import { RISK_CLASSES, type GateThresholds } from '../../../domain/contracts/gates.ts';
import { defaultsOf, gateSettingsOf, THRESHOLDS, type Thresholds } from '../../../domain/incident/thresholds.ts';

function configured(
  endpoints: Record<string, { riskClass?: string; gates?: GateThresholds; demands?: string[] }>,
  gates: GateThresholds = {},
): Configuration {
  const place = { adapter: 'gateway', admin: 'http://127.0.0.1:1', inference: 'http://127.0.0.1:2', model: 'credit' };
  return configurationSchema.parse({
    version: 1,
    endpoints: Object.fromEntries(Object.entries(endpoints).map(([name, own]) => [name, { ...place, ...own }])),
    models: { credit: { gates } },
    people: [
      { id: 'sol', name: 'Sol', roles: ['security-lead', 'ml-engineer', 'on-call'] },
      { id: 'mo', name: 'Mo', roles: ['model-owner'] },
    ],
  });
}

const names = Object.keys(THRESHOLDS.high) as (keyof Thresholds)[];
const milder = (name: keyof Thresholds, one: number, other: number) =>
  name.startsWith('min') ? one <= other : one >= other;

describe('the thresholds of the gates', () => {
  it('are no stricter in a lower risk class', () => {
    for (const name of names) {
      expect(milder(name, THRESHOLDS.limited[name], THRESHOLDS.high[name])).toBe(true);
      expect(milder(name, THRESHOLDS.low[name], THRESHOLDS.limited[name])).toBe(true);
    }
  });

  it('demand of a family what one of its endpoints demands', () => {
    const configuration = configured({ loans: {}, cards: { demands: ['backdoor-scan'] }, cars: { demands: [] } });
    expect(gateSettingsOf(configuration, 'credit')?.demands).toEqual(['backdoor-scan']);
  });

  it('are the strictest where the risk class is unknown or not given', () => {
    expect(defaultsOf('harmless')).toBe(THRESHOLDS.high);
    expect(defaultsOf(undefined)).toBe(THRESHOLDS.high);
    expect(gateSettingsOf(configured({ loans: {} }), 'credit')).toEqual({
      thresholds: THRESHOLDS.high,
      riskClass: 'high',
      demands: [],
    });
    expect(gateSettingsOf(configured({}), 'credit')).toEqual({
      thresholds: THRESHOLDS.high,
      riskClass: 'high',
      demands: [],
    });
  });

  it.each(RISK_CLASSES)('come from the class %s where nothing else is said', (riskClass) => {
    expect(gateSettingsOf(configured({ loans: { riskClass } }), 'credit')?.thresholds).toEqual(THRESHOLDS[riskClass]);
  });

  it('are the endpoint’s before the family’s before the class’s', () => {
    const settings = gateSettingsOf(
      configured({ loans: { riskClass: 'low', gates: { maxEce: 0.03 } } }, { maxEce: 0.3, maxAccuracyDropPp: 7 }),
      'credit',
    );
    expect(settings?.thresholds).toEqual({ ...THRESHOLDS.low, maxEce: 0.03, maxAccuracyDropPp: 7 });
  });

  it('are those of the strictest endpoint of a family, gate by gate', () => {
    const settings = gateSettingsOf(
      configured({
        archive: { riskClass: 'low' },
        loans: { riskClass: 'limited', gates: { maxEce: 0.9, minSelectionRatio: 0.9 } },
      }),
      'credit',
    );
    expect(settings?.riskClass).toBe('limited');
    expect(settings?.thresholds).toEqual({
      ...THRESHOLDS.limited,
      maxEce: THRESHOLDS.low.maxEce,
      minSelectionRatio: 0.9,
    });
  });

  it('are not made up for a family that nobody declared', () => {
    expect(gateSettingsOf(configured({ loans: {} }), 'letters')).toBeNull();
  });
});
