import type { ApprovalStatement, TrustRoot } from '../../../domain/contracts/approval.ts';
import type { CaseEntry } from '../../../domain/contracts/case-log.ts';
import { APPROVAL_MAX_AGE_MS, APPROVAL_MAX_SKEW_MS } from '../../../domain/incident/limits.ts';
import { verifyApproval } from '../../../domain/proofs/approval.ts';
import { FILES } from '../form.ts';
import { messageOf, type Log, type Part } from './part.ts';

/** A person's decision: the entry that tells of it and the statement they signed. */
export interface Word {
  readonly entry: CaseEntry;
  readonly statement: ApprovalStatement;
}

/** The decisions of a log in their order, each verified as the workflow did: with the same trust, at the time of its entry, each nonce once. */
export function wordsIn({ entries }: Log, trust: TrustRoot): Part<readonly Word[]> {
  const usedNonces = new Set<string>();
  const words: Word[] = [];
  const wrong = (entry: CaseEntry, what: string) => ({ wrong: what, place: FILES.entry(entry.seq) });
  for (const entry of entries) {
    if (entry.statement === null) {
      if (entry.verdict === 'approved' || entry.verdict === 'rejected')
        return wrong(entry, 'the entry tells of a decision that nobody signed');
      continue;
    }
    let statement: ApprovalStatement;
    try {
      statement = verifyApproval(entry.statement, {
        incident: entry.incident,
        trust,
        now: Date.parse(entry.at),
        maxAgeMs: APPROVAL_MAX_AGE_MS,
        maxSkewMs: APPROVAL_MAX_SKEW_MS,
        usedNonces,
      });
    } catch (error) {
      return wrong(entry, messageOf(error));
    }
    if (entry.actor !== statement.person || entry.verdict !== verdictOf(statement)) {
      return wrong(
        entry,
        `the entry says ${entry.actor} ${entry.verdict}; the signed statement says ${statement.person} ${verdictOf(statement)}`,
      );
    }
    usedNonces.add(statement.nonce);
    words.push({ entry, statement });
  }
  return { value: words };
}

/** The verdict that the workflow records for a decision. */
function verdictOf({ decision }: ApprovalStatement): CaseEntry['verdict'] {
  return decision === 'approve' ? 'approved' : decision === 'reject' ? 'rejected' : 'noted';
}
