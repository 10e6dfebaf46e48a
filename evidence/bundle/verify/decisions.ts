import type { TrustRoot } from '../../../domain/contracts/approval.ts';
import { missingRoles } from '../../../domain/incident/gates.ts';
import { digestOfJson } from '../../../domain/proofs/canonical-json.ts';
import { merkleRootHex } from '../../../domain/proofs/merkle.ts';
import { FILES, type BundleCase } from '../form.ts';
import { failed, need, passed, type Check, type Outcome } from './check.ts';
import type { OpenedBundle } from './opened.ts';
import type { Log } from './part.ts';
import type { Word } from './words.ts';

/** People's decisions: each is theirs, and what was released is what two of them signed. */
export const DECISION_CHECKS: readonly Check[] = [
  {
    id: 'decisions',
    promise:
      'Every decision in the log was signed by the person it names, in a role they hold, for this incident, when the log says so.',
    run(bundle) {
      const words = need(bundle.words);
      return passed(
        words.length === 0
          ? 'no decisions were made'
          : words
              .map(
                ({ statement }) =>
                  `${statement.person} (${statement.role}): ${statement.decision} at ${statement.gate}`,
              )
              .join('; '),
      );
    },
  },
  {
    id: 'release-gate',
    promise:
      'What was released is what the required people signed, all different ones, over artifact, validation and evidence together, before it was released.',
    run(bundle) {
      const about = need(bundle.about);
      const { release } = about;
      if (!release) {
        const released = about.outcome === 'repaired' || about.outcome === 'restored';
        return released
          ? failed(FILES.case, `the outcome is ${about.outcome}, but no release is given`)
          : passed('nothing was released');
      }
      const log = need(bundle.log);
      const words = need(bundle.words);
      return boundRelease(bundle, release, log) ?? signedRelease(release, log, words, need(bundle.people));
    },
  },
];

/** Does the release subject bind this artifact, a passed validation of it, and an earlier state of this very log? Null where it does. */
function boundRelease({ files }: OpenedBundle, release: NonNullable<BundleCase['release']>, log: Log): Outcome | null {
  const { subject, artifact } = release;
  const incident = log.entries[0]?.incident;
  if (subject.incident !== incident) return failed(FILES.case, 'the release subject is of another incident');
  if (subject.artifact !== artifact.digest)
    return failed(FILES.case, `the released artifact is ${artifact.digest}; what was signed is ${subject.artifact}`);
  if (subject.evidenceSize > log.leaves.length)
    return failed(
      FILES.case,
      `the release subject binds ${subject.evidenceSize} entries of a log of ${log.leaves.length}`,
    );
  const root = merkleRootHex(log.leaves.slice(0, subject.evidenceSize));
  if (root !== subject.evidenceRoot)
    return failed(
      FILES.case,
      `the log's first ${subject.evidenceSize} entries have the root ${root}; the release subject binds ${subject.evidenceRoot}`,
    );

  const place = FILES.object(subject.validation);
  const report = reportIn(files.get(place));
  if (!report) return failed(place, 'the validation report that was signed for is not there');
  if (report.incident !== incident || report.candidate !== artifact.digest)
    return failed(place, 'the validation report is about another incident or artifact');
  return report.verdict === 'pass' ? null : failed(place, `the validation's verdict is ${report.verdict}`);
}

function signedRelease(
  { subject }: NonNullable<BundleCase['release']>,
  log: Log,
  words: readonly Word[],
  trust: TrustRoot,
): Outcome {
  const digest = digestOfJson(subject);
  const votes = words.filter(
    ({ statement }) => statement.gate === 'release' && statement.decision === 'approve' && statement.digest === digest,
  );
  const missing = missingRoles(
    trust.gates.release,
    votes.map(({ statement }) => statement),
    trust,
  );
  if (missing.length > 0)
    return failed(
      FILES.case,
      `${digest} lacks an approval by ${missing.map((roles) => roles.join(' or ')).join(', and by ')}`,
    );
  const names = [...new Set(votes.map(({ statement }) => statement.person))];
  if (names.length < 2) return failed(FILES.case, `${digest} was approved by one person alone`);

  const early = votes.find(({ entry }) => entry.seq < subject.evidenceSize);
  if (early) return failed(FILES.entry(early.entry.seq), 'the approval is part of the evidence that it approves');
  const last = Math.max(...votes.map(({ entry }) => entry.seq));
  const rash = log.entries.find((entry) => entry.phase === 'release' && entry.verdict === 'done' && entry.seq < last);
  if (rash) return failed(FILES.entry(rash.seq), `"${rash.step}" was done before entry ${last}, the last approval`);
  return passed(`${names.join(' and ')} signed ${digest}`);
}

function reportIn(bytes: Uint8Array | undefined): { incident: unknown; candidate: unknown; verdict: unknown } | null {
  if (!bytes) return null;
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (typeof value !== 'object' || value === null) return null;
  const { schema, incident, candidate, verdict } = value as Record<string, unknown>;
  if (
    schema !== 'lazaret.validation/v1' ||
    typeof candidate !== 'object' ||
    candidate === null ||
    !('digest' in candidate)
  )
    return null;
  return { incident, candidate: candidate.digest, verdict };
}
