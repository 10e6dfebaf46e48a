import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { CaseEntry } from '../../../domain/contracts/case-log.ts';
import type { StanceKind } from '../../../domain/contracts/stance.ts';
import { PHASES, type Phase } from '../../../domain/incident/kinds.ts';
import { instant } from '../figures.ts';
import { alertedAt } from './exposure.ts';

/** A stretch of one phase, in milliseconds since the alert. `people`: the incident waited for a person's decision. */
export interface Stretch {
  readonly phase: Phase;
  readonly kind: 'work' | 'people';
  readonly from: number;
  readonly to: number;
}

export interface PhaseTime {
  readonly phase: Phase;
  readonly stretches: readonly Stretch[];
  readonly workMs: number;
  readonly peopleMs: number;
  readonly steps: number;
  readonly failures: number;
}

export interface StanceTime {
  readonly stance: StanceKind;
  /** The suspect answered: before the capture. */
  readonly suspect: boolean;
  readonly from: number;
  readonly to: number;
}

export interface Timeline {
  /** The alert's receipt, RFC 3339: zero of all times here. */
  readonly zero: string;
  readonly totalMs: number;
  readonly workMs: number;
  readonly peopleMs: number;
  readonly stretches: readonly Stretch[];
  readonly phases: readonly PhaseTime[];
  /** What the endpoint of the alert did, by the stances it confirmed. */
  readonly stances: readonly StanceTime[];
  readonly alerts: readonly number[];
}

/** Entries are written when a step ends, so a step reaches from the entry before it to its own. */
export function timelineOf(file: CaseFile): Timeline {
  const zero = alertedAt(file);
  const origin = instant(zero) ?? 0;
  const since = (text: string): number => Math.max(0, (instant(text) ?? origin) - origin);

  const stretches: Stretch[] = [];
  let before = 0;
  for (const entry of file.entries) {
    if (entry.phase === 'incident') continue;
    const to = Math.max(before, since(entry.at));
    const kind = isDecision(entry) ? 'people' : 'work';
    const last = stretches.at(-1);
    if (last?.phase === entry.phase && last.kind === kind) stretches[stretches.length - 1] = { ...last, to };
    else stretches.push({ phase: entry.phase, kind, from: before, to });
    before = to;
  }
  const sum = (kind: Stretch['kind'], of: readonly Stretch[]): number =>
    of.filter((stretch) => stretch.kind === kind).reduce((ms, stretch) => ms + stretch.to - stretch.from, 0);
  const phases = PHASES.flatMap((phase): PhaseTime[] => {
    const own = stretches.filter((stretch) => stretch.phase === phase);
    if (own.length === 0) return [];
    const entries = file.entries.filter((entry) => entry.phase === phase);
    const failures = entries.filter((entry) => entry.verdict === 'failed').length;
    return [
      {
        phase,
        stretches: own,
        workMs: sum('work', own),
        peopleMs: sum('people', own),
        steps: entries.length,
        failures,
      },
    ];
  });
  return {
    zero,
    totalMs: before,
    workMs: sum('work', stretches),
    peopleMs: sum('people', stretches),
    stretches,
    phases,
    stances: stancesOf(file, since, before),
    alerts: file.alerts.map((alert) => since(alert.receivedAt)),
  };
}

export function isDecision(entry: CaseEntry): boolean {
  return entry.statement !== null;
}

const TAKEN = /^(?<endpoint>[a-z0-9-]+): \w+ → (?<stance>serving|canary|shadow|fallback|isolated|found)$/;

function stancesOf(file: CaseFile, since: (at: string) => number, total: number): readonly StanceTime[] {
  const receipt = file.captures.find((capture) => capture.receipt.endpoint === file.endpoint)?.receipt;
  if (!receipt) return [];
  const changes: { at: number; stance: StanceKind }[] = [
    { at: since(receipt.capturedAt), stance: receipt.after.stance.kind },
  ];
  for (const entry of file.entries) {
    const taken = entry.step === 'take stance' && entry.verdict === 'done' ? TAKEN.exec(entry.summary) : null;
    const stance = STANCES.find((kind) => kind === taken?.groups?.['stance']);
    if (stance && taken?.groups?.['endpoint'] === file.endpoint) changes.push({ at: since(entry.at), stance });
  }
  const first: StanceTime = {
    stance: receipt.before.stance.kind,
    suspect: true,
    from: 0,
    to: changes[0]?.at ?? total,
  };
  return [
    first,
    ...changes.map((change, index) => ({
      stance: change.stance,
      suspect: false,
      from: change.at,
      to: Math.max(change.at, changes[index + 1]?.at ?? total),
    })),
  ];
}

const STANCES: readonly StanceKind[] = [
  'serving',
  'canary',
  'mirror',
  'limited',
  'shadow',
  'fallback',
  'isolated',
  'found',
];
