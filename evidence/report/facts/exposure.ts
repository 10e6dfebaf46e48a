import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { isContained } from '../../../domain/contracts/stance.ts';
import { instant } from '../figures.ts';

/** How long an endpoint went on answering with the suspect model after the first alert had been received. */
export type Exposure =
  | { readonly kind: 'stopped'; readonly ms: number }
  /** The capture is older than the alert: the clocks of the two processes disagree, or the endpoint was contained by an earlier order. */
  | { readonly kind: 'clocks'; readonly ms: number }
  /** Captured and left answering, as its policy says. */
  | { readonly kind: 'left-answering' }
  /** Nothing was captured. */
  | { readonly kind: 'unknown' };

/** When the station first knew: the earliest receipt of a firing alert, else of any, else the opening of the incident. */
export function alertedAt(file: CaseFile): string {
  const firing = file.alerts.filter((alert) => alert.status === 'firing');
  const times = (firing.length > 0 ? firing : file.alerts).map((alert) => alert.receivedAt);
  return times.reduce(
    (first, next) => ((instant(next) ?? 0) < (instant(first) ?? 0) ? next : first),
    times[0] ?? file.openedAt,
  );
}

export function exposureOf(file: CaseFile, endpoint: string): Exposure {
  const capture = file.captures.find((candidate) => candidate.receipt.endpoint === endpoint);
  const from = instant(alertedAt(file));
  const to = instant(capture?.receipt.capturedAt ?? null);
  if (!capture || from === null || to === null) return { kind: 'unknown' };
  const { stance } = capture.receipt.after;
  // Within limits the suspect answers on.
  if (!isContained(stance) || stance.kind === 'limited') return { kind: 'left-answering' };
  return to < from ? { kind: 'clocks', ms: from - to } : { kind: 'stopped', ms: to - from };
}
