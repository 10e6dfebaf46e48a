import type { LogHead } from '../../domain/contracts/case-log.ts';
import type { Outcome } from '../../domain/incident/kinds.ts';
import { readContainer } from './container.ts';
import type { BundleCase } from './form.ts';
import { ARTIFACT_CHECKS } from './verify/artifact.ts';
import { perform, type Check, type CheckResult } from './verify/check.ts';
import { DECISION_CHECKS } from './verify/decisions.ts';
import { FILE_CHECKS } from './verify/files.ts';
import { fingerprintsOf, type KeyFingerprint } from './verify/fingerprints.ts';
import { LOG_CHECKS } from './verify/log.ts';
import { open, type GivenTrust, type OpenedBundle } from './verify/opened.ts';

export type { CheckResult } from './verify/check.ts';
export type { KeyFingerprint } from './verify/fingerprints.ts';

/** Every promise of a bundle, in the order in which one rests on the other. */
const CHECKS: readonly Check[] = [...FILE_CHECKS, ...LOG_CHECKS, ...DECISION_CHECKS, ...ARTIFACT_CHECKS];

const CONTAINER = {
  id: 'container',
  promise:
    'The archive is in the one form there is for its files: nothing is hidden between them, behind them or in their headers.',
} as const;

export interface VerificationReport {
  /** All checks passed. With `trust: 'bundle'` this says that the parts belong together, not whose they are. */
  readonly ok: boolean;
  /** Whose word the checks rest on: the trust file that was given, or the keys that came with the bundle. */
  readonly trust: 'given' | 'bundle';
  /** Whose word the people's names, roles and keys rest on: what was given, or `keys.json`, which the case-log key has signed. */
  readonly people: 'given' | 'bundle';
  /** The keys that were used; those of `bundle` are to be compared with the organisation's. */
  readonly fingerprints: readonly KeyFingerprint[];
  /** What the bundle says of itself; only as true as the checks. Null where it cannot be read. */
  readonly case: {
    readonly incident: string;
    readonly endpoint: string;
    readonly outcome: Outcome | null;
    readonly head: LogHead;
    readonly createdAt: string;
  } | null;
  readonly checks: readonly CheckResult[];
  /** Objects that are named and not in the bundle, with the reason. */
  readonly absent: BundleCase['absent'];
}

/**
 * Checks a bundle offline: no network, no station, no clock. Never throws, whatever the bytes; every check is in the report, and what fails
 * names the file it fails at. The bundle is an attacker's until the last check has passed.
 */
export function verifyBundle(bytes: Uint8Array, given: GivenTrust = {}): VerificationReport {
  const trust = given.trust ? 'given' : 'bundle';
  const people = given.people ? 'given' : 'bundle';
  const container = readContainer(bytes);
  if ('place' in container) {
    const broken: CheckResult = { ...CONTAINER, passed: false, detail: container.detail, place: container.place };
    const rest = CHECKS.map(({ id, promise }): CheckResult => ({
      id,
      promise,
      passed: false,
      detail: 'not checked: the archive cannot be relied upon',
      place: container.place,
    }));
    return { ok: false, trust, people, fingerprints: [], case: null, checks: [broken, ...rest], absent: [] };
  }
  const bundle = open(container.files, given);
  const whole: CheckResult = {
    ...CONTAINER,
    passed: true,
    detail: `${container.files.size} files, ${bytes.length} bytes`,
    place: null,
  };
  const checks = [whole, ...CHECKS.map((check) => perform(check, bundle))];
  return {
    ok: checks.every((check) => check.passed),
    trust,
    people,
    fingerprints: fingerprintsOf(bundle),
    case: caseOf(bundle),
    checks,
    absent: 'value' in bundle.about ? bundle.about.value.absent : [],
  };
}

function caseOf({ about }: OpenedBundle): VerificationReport['case'] {
  if ('wrong' in about) return null;
  const { incident, endpoint, outcome, head, createdAt } = about.value;
  return { incident, endpoint, outcome, head, createdAt };
}
