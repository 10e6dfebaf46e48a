import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { column, end, paragraph, table, type Section } from '../document.ts';
import { detailOf, findingOf } from '../facts/details.ts';
import { count, percent, pValue } from '../figures.ts';

const WORDS = { superposition: 'Superposition (STRIP)', trigger: 'Cells of the recovered trigger' } as const;

/** Which captured requests carried a trigger, by what, and what they were answered. */
export function requests(file: CaseFile): Section {
  const finding = findingOf(file, 'requests');
  const detail = detailOf(file, 'requests');
  const title = 'Captured requests that carry a trigger';
  if (!finding || !detail)
    return {
      id: 'requests',
      title,
      blocks: [paragraph(`Not measured: ${finding?.summary ?? 'the captured requests were not tested.'}`)],
    };
  return {
    id: 'requests',
    title,
    blocks: [
      paragraph(finding.summary),
      table(
        'Flagged by method',
        [column('Method'), end('Flagged'), end('Of'), end('Clean records flagged'), end('p-value')],
        detail.methods.map(({ method, flagged, clean, pValue: p }) => [
          WORDS[method],
          count(flagged),
          count(detail.examined),
          `${count(clean.flagged)} of ${count(clean.n)} (budget ${percent(detail.falseAlarmBudget)})`,
          pValue(p),
        ]),
      ),
      ...(detail.answeredAs.length > 0
        ? [
            table(
              'What the flagged requests were answered',
              [column('Class'), end('Requests')],
              detail.answeredAs.map(({ label, count: n }) => [detail.classes[label] ?? `class ${label}`, count(n)]),
            ),
          ]
        : []),
    ],
  };
}
