import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { column, end, paragraph, table, type Section } from '../document.ts';
import { detailOf, findingOf } from '../facts/details.ts';
import { count, percent } from '../figures.ts';

/** Which client could rebuild the model from what it was answered. */
export function extraction(file: CaseFile): Section {
  const finding = findingOf(file, 'extraction');
  const detail = detailOf(file, 'extraction');
  const title = 'How much of the model its clients could rebuild';
  if (!finding || !detail)
    return {
      id: 'extraction',
      title,
      blocks: [paragraph(`Not measured: ${finding?.summary ?? 'no copy was tried.'}`)],
    };
  return {
    id: 'extraction',
    title,
    blocks: [
      paragraph(finding.summary),
      table(
        'Copies trained from the answers of the busiest clients',
        [column('Client'), end('Answers'), end('Share'), end('Classes seen'), end('Agreement of the copy (95 % CI)')],
        detail.busiest.map(({ client, queries, share, classes, fidelity }) => [
          client,
          count(queries),
          percent(share),
          `${count(classes)} of ${count(detail.classes.length)}`,
          fidelity
            ? `${percent(fidelity.value)} (${percent(fidelity.low)} to ${percent(fidelity.high)})`
            : 'too few answers',
        ]),
      ),
    ],
  };
}
