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
  alert: 'critical',
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
  informational: 'low',
  debug: 'low',
  note: 'low',
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

/** What a sender says an alert is about. `names` are its own names for it: a repository, a service, a deployment. */
export interface About {
  readonly endpoint?: string;
  readonly model?: string;
  readonly names?: readonly string[];
}

/** What is declared: the model of each endpoint, and the endpoint that a foreign name means. */
export interface Directory {
  readonly modelOf: Readonly<Record<string, string>>;
  readonly meaning?: Readonly<Record<string, string>>;
}

/** What the labels `endpoint` and `model` of an alert say. */
export function aboutOf(labels: Labels): About {
  return { endpoint: label(labels, 'endpoint'), model: label(labels, 'model') };
}

/**
 * The endpoints an alert is about: the one that `endpoint` names, and nothing else where it is given; otherwise the one that `model` names, or
 * all that serve a model of that name; otherwise those of the first foreign name that means any. Empty where nothing declared is meant.
 */
export function endpointsOf(about: About, directory: Directory): readonly string[] {
  const { endpoint, model, names = [] } = about;
  if (endpoint !== undefined) {
    const meant = meaningOf(endpoint, directory);
    return meant === undefined ? [] : [meant];
  }
  for (const name of model === undefined ? names : [model, ...names]) {
    const meant = meaningOf(name, directory);
    if (meant !== undefined) return [meant];
    const serving = Object.keys(directory.modelOf).filter((one) => directory.modelOf[one] === name);
    if (serving.length > 0) return serving;
  }
  return [];
}

/** A name of `intake.names`, or of an endpoint itself. */
function meaningOf(name: string, { modelOf, meaning = {} }: Directory): string | undefined {
  if (Object.hasOwn(modelOf, name)) return name;
  return Object.hasOwn(meaning, name) ? meaning[name] : undefined;
}

function label(labels: Labels, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}
