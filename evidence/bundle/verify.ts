import { createHash, createPublicKey } from 'node:crypto';
import type { LogHead } from '../../domain/contracts/case-log.ts';
import type { Outcome } from '../../domain/incident/kinds.ts';
import { readContainer } from './container.ts';
import type { BundleCase } from './form.ts';
import { ARTIFACT_CHECKS } from './verify/artifact.ts';
import { perform, type Check, type CheckResult } from './verify/check.ts';
import { DECISION_CHECKS } from './verify/decisions.ts';
import { FILE_CHECKS } from './verify/files.ts';
import { LOG_CHECKS } from './verify/log.ts';
import { open, type GivenTrust, type OpenedBundle } from './verify/opened.ts';

export type { CheckResult } from './verify/check.ts';

/** Every promise of a bundle, in the order in which one rests on the other. */
const CHECKS: readonly Check[] = [...FILE_CHECKS, ...LOG_CHECKS, ...DECISION_CHECKS, ...ARTIFACT_CHECKS];

const CONTAINER = {
  id: 'container',
  promise:
    'The archive is in the one form there is for its files: nothing is hidden between them, behind them or in their headers.',
} as const;

export interface KeyFingerprint {
  readonly name: string;
  readonly kid: string;
  readonly uses: readonly string[];
  /** `SHA256:` and the hex of SHA-256 over the key's SubjectPublicKeyInfo in DER. */
  readonly fingerprint: string;
}

export interface VerificationReport {
  /** All checks passed. With `trust: 'bundle'` this says that the parts belong together, not whose they are. */
  readonly ok: boolean;
  /** Whose word the checks rest on: the trust file that was given, or the keys that came with the bundle. */
  readonly trust: 'given' | 'bundle';
  /** The machines' keys that were used; to be compared with the organisation's where `trust` is `bundle`. */
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
    return { ok: false, trust, fingerprints: [], case: null, checks: [broken, ...rest], absent: [] };
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
    fingerprints: fingerprintsOf(bundle),
    case: caseOf(bundle),
    checks,
    absent: 'value' in bundle.about ? bundle.about.value.absent : [],
  };
}

function fingerprintsOf({ machines }: OpenedBundle): readonly KeyFingerprint[] {
  if ('wrong' in machines) return [];
  return machines.value.map(({ name, kid, uses, publicKeyPem }) => {
    const der = createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' });
    return { name, kid, uses, fingerprint: `SHA256:${createHash('sha256').update(der).digest('hex')}` };
  });
}

function caseOf({ about }: OpenedBundle): VerificationReport['case'] {
  if ('wrong' in about) return null;
  const { incident, endpoint, outcome, head, createdAt } = about.value;
  return { incident, endpoint, outcome, head, createdAt };
}
