import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { column, end, note, paragraph, table, verdict, type Section } from '../document.ts';
import { alertedAt } from '../facts/exposure.ts';
import { at, clock, count } from '../figures.ts';

/** A post-mortem that nobody can print is read by nobody; the bundle has every entry. */
const MAX_ENTRIES = 400;

export function caseLog(file: CaseFile): Section {
  const title = 'Appendix: case log';
  if (file.entries.length === 0) return { id: 'case-log', title, blocks: [paragraph('The case log is empty.')] };
  const shown = file.entries.slice(0, MAX_ENTRIES);
  return {
    id: 'case-log',
    title,
    blocks: [
      table(
        `Entries, times in UTC from ${at(alertedAt(file)).slice(0, 10)} on`,
        [end('#'), column('Time'), column('Phase'), column('Step'), column('Actor'), column('Verdict'), column('What')],
        shown.map((entry) => [
          String(entry.seq),
          clock(entry.at),
          entry.phase,
          entry.step,
          entry.actor,
          [verdict(entry.verdict)],
          entry.summary,
        ]),
      ),
      ...(file.entries.length > shown.length
        ? [note(`${count(file.entries.length - shown.length)} further entries are in the bundle.`)]
        : []),
    ],
  };
}
