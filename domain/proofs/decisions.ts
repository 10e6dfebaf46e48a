import type { Severity } from '../incident/kinds.ts';

/** How bad a person says it is, against what the rules say. */
export const SEVERITY_DECISIONS = [
  'severity-low',
  'severity-medium',
  'severity-high',
  'severity-critical',
] as const satisfies readonly `severity-${Severity}`[];

/** Every word that a person may sign. */
export const DECISIONS = ['approve', 'reject', 'retry', 'skip', 'abort', 'cancel', ...SEVERITY_DECISIONS] as const;
export type Decision = (typeof DECISIONS)[number];

/** The severity that a decision names; null for every other decision. */
export function severityIn(decision: string): Severity | null {
  const found = SEVERITY_DECISIONS.find((each) => each === decision);
  return found ? (found.slice('severity-'.length) as Severity) : null;
}
