import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { TrainingRecordsDetail } from '../../../domain/contracts/finding.ts';
import { code, column, end, note, NOT_MEASURED, paragraph, table, type Block, type Section } from '../document.ts';
import { detailOf } from '../facts/details.ts';
import { brief, count, percent, plural, pValue } from '../figures.ts';
import { share } from '../facts/share.ts';
import { bars } from '../pictures/bars.ts';
import { bothWidths } from '../pictures/canvas.ts';

const MAX_BATCHES = 24;

/** Which training records were marked, in which batch and source, and what was dropped. */
export function records(file: CaseFile): Section {
  const detail = detailOf(file, 'training-records');
  const title = 'Records dropped, by batch and source';
  const blocks: Block[] = [];
  if (!detail) blocks.push(paragraph('Not measured: the training records were not examined.'));
  else {
    const batches = [...detail.byBatch].sort((a, b) => b.tainted - a.tainted || b.records - a.records);
    const shown = batches.slice(0, MAX_BATCHES);
    blocks.push(
      paragraph(
        `${count(detail.count)} of ${plural(detail.examined, 'record')} were marked as tainted. The threshold (${scientificThreshold(detail.threshold)}) was chosen so that at most ${percent(detail.falseAlarmBudget)} of clean records are marked by mistake.`,
      ),
    );
    if (detail.taint)
      blocks.push(
        paragraph(
          'How probable it is of each record that it was planted is evidence ',
          code(brief(detail.taint.digest)),
          detail.expectedFalse === undefined || detail.count === 0
            ? '.'
            : `. By these probabilities ${cleanAmong(detail.expectedFalse)}.`,
        ),
      );
    if (shown.length > 0) {
      blocks.push(
        {
          kind: 'picture',
          caption: 'Records by batch; the marked ones in the alarm colour.',
          pictures: bothWidths((width) =>
            bars(
              'records',
              shown.map((batch) => ({
                label: batch.batch,
                value: batch.records,
                part: batch.tainted,
                words: `${count(batch.tainted)} of ${count(batch.records)}`,
              })),
              {
                title: 'Records marked as tainted, by batch',
                description: shown
                  .map((batch) => `${batch.batch}: ${count(batch.tainted)} of ${count(batch.records)}`)
                  .join('; '),
              },
              { width, log: false, tick: count },
            ),
          ),
        },
        table(
          'Marked records by batch',
          [column('Batch'), column('Source'), ...FIGURES],
          shown.map((batch) => [batch.batch, batch.source, ...figuresOf(batch)]),
        ),
        ...sourceTable(detail.bySource ?? []),
        note(
          'The p-value is the probability of at least so many marks among clean records, "among the others" that of at least so many of the marks by chance; both are corrected for the number of rows (Holm). ',
          batches.length > shown.length
            ? `${count(batches.length - shown.length)} batches with fewer marks are in the finding's record.`
            : '',
        ),
      );
    }
  }
  if (file.sanitized) {
    const { sanitized } = file;
    blocks.push(
      paragraph(
        `Dropped ${plural(sanitized.dropped, 'record')}, kept ${count(sanitized.kept)}. The sanitized version of data set ${sanitized.dataset.name} is `,
        code(brief(sanitized.dataset.manifest.digest)),
        '; the list of dropped ids by batch is evidence ',
        code(brief(sanitized.diff.digest)),
        '.',
      ),
    );
  } else blocks.push(paragraph('No record was dropped.'));
  return { id: 'records', title, blocks };
}

function cleanAmong(expected: number): string {
  const clean = Math.round(expected);
  if (clean === 0) return 'none of the marked records is clean';
  return clean === 1 ? 'one of the marked records is clean' : `${count(clean)} of the marked records are clean`;
}

type Marked = Pick<TrainingRecordsDetail['byBatch'][number], 'records' | 'tainted' | 'pValue' | 'amongOthers'>;

const FIGURES = [end('Records'), end('Marked'), end('Share (95 % CI)'), end('p-value'), end('Among the others')];

function figuresOf({ records, tainted, pValue: p, amongOthers }: Marked): readonly string[] {
  const interval = share(tainted, records);
  return [
    count(records),
    count(tainted),
    interval ? `${percent(interval.value)} (${percent(interval.low)} to ${percent(interval.high)})` : NOT_MEASURED,
    pValue(p),
    amongOthers === undefined ? NOT_MEASURED : pValue(amongOthers),
  ];
}

function sourceTable(sources: NonNullable<TrainingRecordsDetail['bySource']>): readonly Block[] {
  if (sources.length === 0) return [];
  const shown = [...sources].sort((a, b) => b.tainted - a.tainted || b.records - a.records).slice(0, MAX_BATCHES);
  return [
    table(
      'Marked records by source',
      [column('Source'), ...FIGURES],
      shown.map((source) => [source.source, ...figuresOf(source)]),
    ),
  ];
}

function scientificThreshold(threshold: number): string {
  return Number.isFinite(threshold) ? `score ${Number(threshold.toPrecision(3))}` : 'not measured';
}
