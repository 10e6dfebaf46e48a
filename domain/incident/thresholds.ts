import type { Configuration } from '../contracts/configuration.ts';
import {
  DEMANDABLE_GATES,
  RISK_CLASSES,
  type DemandableGate,
  type GateThresholds,
  type RiskClass,
} from '../contracts/gates.ts';

export type Thresholds = Required<GateThresholds>;

/**
 * Defaults by risk class. They are house rules, not law: no regulation names these numbers. `high` keeps what every endpoint had before there
 * were classes, so a file without classes is judged no more mildly than it was.
 */
export const THRESHOLDS: Readonly<Record<RiskClass, Thresholds>> = {
  high: {
    maxAccuracyDropPp: 1,
    maxAttackSuccess: 0.01,
    maxEce: 0.1,
    maxClassRecallDropPp: 10,
    maxTriggerGain: 0.05,
    maxClassMixShift: 0.05,
    minSelectionRatio: 0.8,
    maxEqualisedOddsDifference: 0.1,
    maxSliceDropPp: 5,
    maxRobustDropPp: 10,
    maxMembershipAuc: 0.6,
  },
  limited: {
    maxAccuracyDropPp: 2,
    maxAttackSuccess: 0.02,
    maxEce: 0.15,
    maxClassRecallDropPp: 15,
    maxTriggerGain: 0.1,
    maxClassMixShift: 0.1,
    minSelectionRatio: 0.8,
    maxEqualisedOddsDifference: 0.15,
    maxSliceDropPp: 10,
    maxRobustDropPp: 15,
    maxMembershipAuc: 0.65,
  },
  low: {
    maxAccuracyDropPp: 3,
    maxAttackSuccess: 0.05,
    maxEce: 0.2,
    maxClassRecallDropPp: 20,
    maxTriggerGain: 0.15,
    maxClassMixShift: 0.2,
    minSelectionRatio: 0.8,
    maxEqualisedOddsDifference: 0.2,
    maxSliceDropPp: 15,
    maxRobustDropPp: 20,
    maxMembershipAuc: 0.7,
  },
};

/** The defaults of a class; of one that nobody knows, the strictest. */
export function defaultsOf(riskClass: string | undefined): Thresholds {
  const known = RISK_CLASSES.find((one) => one === riskClass);
  return THRESHOLDS[known ?? 'high'];
}

export interface GateSettings {
  readonly thresholds: Thresholds;
  /** The strictest class among the endpoints that answer from this family. */
  readonly riskClass: RiskClass;
  /** Gates that one of the endpoints at least demands. */
  readonly demands: readonly DemandableGate[];
}

/**
 * What a repaired model of this family must prove. It answers wherever the family is served, so the strictest endpoint decides, gate by gate:
 * the endpoint's own thresholds, else the family's, else those of the endpoint's risk class.
 */
export function gateSettingsOf(
  configuration: Pick<Configuration, 'endpoints' | 'models'>,
  model: string,
): GateSettings | null {
  const family = configuration.models[model];
  if (!family) return null;
  const endpoints = Object.values(configuration.endpoints).filter((endpoint) => endpoint.model === model);
  const asked = endpoints.map((endpoint) => ({
    ...defaultsOf(endpoint.riskClass),
    ...given(family.gates),
    ...given(endpoint.gates),
  }));
  const classes = endpoints.map((endpoint) => endpoint.riskClass);
  return {
    thresholds: asked.reduce<Thresholds | null>(stricter, null) ?? { ...defaultsOf(undefined), ...given(family.gates) },
    riskClass:
      classes.length === 0 || classes.includes('high') ? 'high' : classes.includes('limited') ? 'limited' : 'low',
    demands: DEMANDABLE_GATES.filter((gate) => endpoints.some((endpoint) => endpoint.demands.includes(gate))),
  };
}

function given(thresholds: GateThresholds): Partial<Thresholds> {
  return Object.fromEntries(Object.entries(thresholds).filter(([, value]) => value !== undefined));
}

/** A limit is stricter the smaller it is, a least value the larger it is. */
function stricter(one: Thresholds | null, other: Thresholds): Thresholds {
  if (one === null) return other;
  return {
    maxAccuracyDropPp: Math.min(one.maxAccuracyDropPp, other.maxAccuracyDropPp),
    maxAttackSuccess: Math.min(one.maxAttackSuccess, other.maxAttackSuccess),
    maxEce: Math.min(one.maxEce, other.maxEce),
    maxClassRecallDropPp: Math.min(one.maxClassRecallDropPp, other.maxClassRecallDropPp),
    maxTriggerGain: Math.min(one.maxTriggerGain, other.maxTriggerGain),
    maxClassMixShift: Math.min(one.maxClassMixShift, other.maxClassMixShift),
    minSelectionRatio: Math.max(one.minSelectionRatio, other.minSelectionRatio),
    maxEqualisedOddsDifference: Math.min(one.maxEqualisedOddsDifference, other.maxEqualisedOddsDifference),
    maxSliceDropPp: Math.min(one.maxSliceDropPp, other.maxSliceDropPp),
    maxRobustDropPp: Math.min(one.maxRobustDropPp, other.maxRobustDropPp),
    maxMembershipAuc: Math.min(one.maxMembershipAuc, other.maxMembershipAuc),
  };
}
