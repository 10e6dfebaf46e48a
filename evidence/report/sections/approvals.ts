import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { code, column, note, paragraph, table, verdict, type Section } from '../document.ts';
import { signedBy } from '../facts/voucher.ts';
import { at, brief } from '../figures.ts';

/** Who decided what, about which bytes, in their own words. */
export function approvals(file: CaseFile): Section {
  const title = 'Approvals and decisions';
  if (file.decisions.length === 0)
    return { id: 'approvals', title, blocks: [paragraph('Nobody has decided anything.')] };
  return {
    id: 'approvals',
    title,
    blocks: [
      table(
        'Signed decisions',
        [
          column('When'),
          column('Gate'),
          column('Decision'),
          column('Person'),
          column('Role'),
          column('About'),
          column('Signed with'),
          column('Reason'),
        ],
        file.decisions.map((decision) => [
          at(decision.at),
          decision.gate,
          [verdict(decision.decision)],
          decision.person,
          decision.role,
          code(brief(decision.digest)),
          signedBy(decision.statement)?.words ?? 'unreadable statement',
          decision.reason === '' ? '–' : decision.reason,
        ]),
      ),
      note(
        'Each decision is a signed statement over incident, gate, digest, decision, reason, person, role, time and nonce. The whole statements are in the case log and are checked again by the offline verification.',
      ),
    ],
  };
}
