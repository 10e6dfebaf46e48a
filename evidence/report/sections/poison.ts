import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { PoisonDetail } from '../../../domain/contracts/finding.ts';
import { column, end, note, NOT_MEASURED, paragraph, table, type Block, type Section } from '../document.ts';
import { detailOf, findingOf } from '../facts/details.ts';
import { count, percent, pValue } from '../figures.ts';
import { bothWidths } from '../pictures/canvas.ts';
import { triggerPicture } from '../pictures/trigger.ts';

const MAX_BATCHES = 24;

/** What the training records showed by themselves, without a golden model. */
export function poison(file: CaseFile): Section {
  const finding = findingOf(file, 'poison');
  const detail = detailOf(file, 'poison');
  const title = 'Planted records, without the golden model';
  if (!finding || !detail)
    return {
      id: 'poison',
      title,
      blocks: [paragraph(`Not measured: ${finding?.summary ?? 'nobody looked for planted records.'}`)],
    };
  return {
    id: 'poison',
    title,
    blocks: [
      paragraph(finding.summary),
      ...detail.groups.flatMap((group) => picture(group, detail.classes)),
      ...(detail.groups.length > 0 ? [groups(detail), batches(detail)] : []),
      note('This informs: records are dropped by the golden model’s judgement alone, or by a person.'),
    ],
  };
}

type Group = PoisonDetail['groups'][number];

function named(group: Group, classes: readonly string[]): string {
  return classes[group.label] ?? `class ${group.label}`;
}

function picture(group: Group, classes: readonly string[]): readonly Block[] {
  const { preview } = group;
  if (preview === null) return [];
  return [
    {
      kind: 'picture',
      caption: `What the marked records of ${named(group, classes)} have in common and their like have not.`,
      pictures: bothWidths((width) => triggerPicture(preview, named(group, classes), width)),
    },
  ];
}

function groups({ groups: all, classes }: PoisonDetail): Block {
  return table(
    'Groups that came from elsewhere',
    [column('Class'), column('Kind'), end('Records'), end('Marked'), end('Pattern leads there'), end('Misfit')],
    all.map((group) => [
      named(group, classes),
      group.kind,
      count(group.members),
      count(group.marked),
      group.success
        ? `${percent(group.success.value)} (${percent(group.success.low)} to ${percent(group.success.high)})`
        : NOT_MEASURED,
      group.misfit === null ? NOT_MEASURED : group.misfit.toFixed(2),
    ]),
  );
}

function batches({ byBatch }: PoisonDetail): Block {
  return table(
    'Marked records by batch',
    [column('Batch'), column('Source'), end('Records'), end('Marked'), end('Among the others')],
    [...byBatch]
      .sort((a, b) => b.marked - a.marked)
      .slice(0, MAX_BATCHES)
      .map((batch) => [
        batch.batch,
        batch.source,
        count(batch.records),
        count(batch.marked),
        pValue(batch.amongOthers),
      ]),
  );
}
