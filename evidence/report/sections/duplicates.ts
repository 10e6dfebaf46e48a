import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { column, end, paragraph, table, type Section } from '../document.ts';
import { detailOf, findingOf } from '../facts/details.ts';
import { count, pValue } from '../figures.ts';

const MAX_BATCHES = 24;

/** Records that came again and again, by batch. */
export function duplicates(file: CaseFile): Section {
  const finding = findingOf(file, 'duplicates');
  const detail = detailOf(file, 'duplicates');
  const title = 'Near duplicates among the training records';
  return {
    id: 'duplicates',
    title,
    blocks: [
      paragraph(finding && detail ? finding.summary : `Not measured: ${finding?.summary ?? 'nobody looked for them.'}`),
      ...(detail && detail.byBatch.length > 0
        ? [
            table(
              'Near duplicates by batch',
              [
                column('Batch'),
                column('Source'),
                end('Records'),
                end('Duplicates'),
                end('Under two labels'),
                end('Among the others'),
              ],
              [...detail.byBatch]
                .sort((a, b) => a.amongOthers - b.amongOthers)
                .slice(0, MAX_BATCHES)
                .map((batch) => [
                  batch.batch,
                  batch.source,
                  count(batch.records),
                  count(batch.duplicates),
                  count(batch.conflicting),
                  pValue(batch.amongOthers),
                ]),
            ),
          ]
        : []),
    ],
  };
}
