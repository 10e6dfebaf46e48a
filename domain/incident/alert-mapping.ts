import { INCIDENT_KINDS, type IncidentKind, type Severity } from './kinds.ts';

/**
 * What the labels of a foreign alert mean here. The sender's label `kind` wins; otherwise the first row that its name matches.
 * Ordered from the most to the least specific: a "signature drift" is tampering.
 */
const KIND_BY_NAME: readonly (readonly [RegExp, IncidentKind])[] = [
  [/poison|backdoor|trojan|label.?flip|taint/i, 'poisoning'],
  [/tamper|unsigned|signature|digest|checksum|integrity|model.?swap/i, 'tampering'],
  [/extract|steal|theft|inversion|membership|scrap/i, 'extraction'],
  [/evasion|adversarial|perturb|jailbreak|patch.?attack/i, 'evasion'],
  [/drift|shift|skew|accuracy|calibration|confidence|degrad|anomal/i, 'drift'],
];

/** The names that paging systems use for severities. */
const SEVERITY_BY_LABEL: Readonly<Record<string, Severity>> = {
  critical: 'critical',
  emergency: 'critical',
  sev1: 'critical',
  p1: 'critical',
  page: 'high',
  high: 'high',
  error: 'high',
  major: 'high',
  sev2: 'high',
  p2: 'high',
  warning: 'medium',
  warn: 'medium',
  medium: 'medium',
  ticket: 'medium',
  sev3: 'medium',
  p3: 'medium',
  minor: 'low',
  low: 'low',
  info: 'low',
  notice: 'low',
  sev4: 'low',
  p4: 'low',
};

type Labels = Readonly<Record<string, string>>;

/** An unknown word in `kind` is not an error: an alert must not be lost for a label. */
export function kindOf(labels: Labels): IncidentKind {
  const claimed = label(labels, 'kind')?.toLowerCase();
  const known = INCIDENT_KINDS.find((kind) => kind === claimed);
  if (known) return known;
  const name = label(labels, 'alertname') ?? '';
  return KIND_BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? 'unknown';
}

/** Null where the sender claims nothing that is known; triage has rules of its own. */
export function severityOf(labels: Labels): Severity | null {
  const claimed = (label(labels, 'severity') ?? '').toLowerCase();
  return Object.hasOwn(SEVERITY_BY_LABEL, claimed) ? (SEVERITY_BY_LABEL[claimed] ?? null) : null;
}

/**
 * The endpoints an alert is about: the one that label `endpoint` names; otherwise the one that label `model` names, or all that serve a
 * model of that name. Empty where nothing declared is meant. `modelOf` maps each declared endpoint to its model.
 */
export function endpointsOf(labels: Labels, modelOf: Readonly<Record<string, string>>): readonly string[] {
  const endpoint = label(labels, 'endpoint');
  if (endpoint !== undefined) return Object.hasOwn(modelOf, endpoint) ? [endpoint] : [];
  const model = label(labels, 'model');
  if (model === undefined) return [];
  if (Object.hasOwn(modelOf, model)) return [model];
  return Object.keys(modelOf).filter((name) => modelOf[name] === model);
}

function label(labels: Labels, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}
