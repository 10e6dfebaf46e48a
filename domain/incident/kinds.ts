/** What is alleged to have happened to the model. `unknown` is an honest kind: the investigation names it later. */
export const INCIDENT_KINDS = ['poisoning', 'evasion', 'extraction', 'tampering', 'drift', 'unknown'] as const;
export type IncidentKind = (typeof INCIDENT_KINDS)[number];

/** Ordered from least to most severe; `maxSeverity` relies on the order. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** How much harm a wrong answer of the endpoint can do; declared by its owner in `lazaret.yaml`. */
export const SENSITIVITIES = ['low', 'moderate', 'high', 'safety'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

/** The stages of the model's life that an attack enters by. */
export const STAGES = ['data', 'training', 'artifact', 'inference', 'unknown'] as const;
export type Stage = (typeof STAGES)[number];

/** The phases of an incident in the order of the runbook. */
export const PHASES = [
  'triage',
  'contain',
  'preserve',
  'investigate',
  'plan',
  'eradicate',
  'recover',
  'validate',
  'approve-release',
  'release',
  'learn',
] as const;
export type Phase = (typeof PHASES)[number];

/** How an incident ends. Each of them leaves the endpoint in a known stance. */
export const OUTCOMES = ['repaired', 'restored', 'rejected', 'rolled-back', 'aborted', 'cancelled'] as const;
export type Outcome = (typeof OUTCOMES)[number];
