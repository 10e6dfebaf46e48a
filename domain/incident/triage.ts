import type { Alert } from '../contracts/alert.ts';
import { SEVERITIES, type IncidentKind, type Sensitivity, type Severity, type Stage } from './kinds.ts';

/** The stage of the model's life that a kind of attack enters by. */
const STAGE_OF: Readonly<Record<IncidentKind, Stage>> = {
  poisoning: 'data',
  tampering: 'artifact',
  evasion: 'inference',
  extraction: 'inference',
  drift: 'inference',
  unknown: 'unknown',
};

/** What a kind deserves before anything else is known. A tampered artifact answers for the attacker now; drift may be the weather. */
const BASELINE: Readonly<Record<IncidentKind, Severity>> = {
  poisoning: 'high',
  tampering: 'critical',
  evasion: 'medium',
  extraction: 'medium',
  drift: 'low',
  unknown: 'medium',
};

/** What a sensitive domain deserves whatever the kind. */
const FLOOR: Readonly<Record<Sensitivity, Severity>> = {
  low: 'low',
  moderate: 'low',
  high: 'medium',
  safety: 'high',
};

/** Kinds from the most to the least specific: several alerts of one incident are named by the first that any of them claims. */
const SPECIFICITY: readonly IncidentKind[] = ['tampering', 'poisoning', 'extraction', 'evasion', 'drift', 'unknown'];

export interface Triage {
  readonly kind: IncidentKind;
  readonly stage: Stage;
  readonly severity: Severity;
  /** Every rule that spoke, with the severity it asked for. */
  readonly reasons: readonly string[];
}

/** The most severe of the given; `low` for none. */
export function maxSeverity(severities: readonly Severity[]): Severity {
  return severities.reduce<Severity>(
    (worst, next) => (SEVERITIES.indexOf(next) > SEVERITIES.indexOf(worst) ? next : worst),
    'low',
  );
}

/** Severity is the maximum of the rules: no rule can lower what another asked for. */
export function triage(alerts: readonly Alert[], sensitivity: Sensitivity): Triage {
  const alleged = SPECIFICITY.filter((candidate) => alerts.some((alert) => alert.kind === candidate));
  const kind = alleged[0] ?? 'unknown';
  // Every alleged kind speaks: an alert of a milder kind names the incident, but MUST NOT calm it down.
  const rules: { severity: Severity; because: string }[] = [
    ...(alleged.length > 0 ? alleged : [kind]).map((claim) => ({
      severity: BASELINE[claim],
      because: `${claim} starts at ${BASELINE[claim]}`,
    })),
    {
      severity: FLOOR[sensitivity],
      because: `the endpoint's sensitivity is ${sensitivity}, which asks for at least ${FLOOR[sensitivity]}`,
    },
  ];
  const claimed = alerts.flatMap((alert) => (alert.claimedSeverity ? [alert.claimedSeverity] : []));
  if (claimed.length > 0) {
    const worst = maxSeverity(claimed);
    rules.push({ severity: worst, because: `an alert claims ${worst}` });
  }
  return {
    kind,
    stage: STAGE_OF[kind],
    severity: maxSeverity(rules.map((rule) => rule.severity)),
    reasons: rules.map((rule) => rule.because),
  };
}
