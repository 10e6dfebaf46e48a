import type { CaseFile } from '../../../domain/contracts/activities.ts';
import type { ActivationsDetail } from '../../../domain/contracts/finding.ts';
import { column, end, note, NOT_MEASURED, paragraph, table, type Block, type Section } from '../document.ts';
import { detailOf, findingOf } from '../facts/details.ts';
import { count, percent, pValue } from '../figures.ts';
import { bothWidths } from '../pictures/canvas.ts';
import { layersPicture } from '../pictures/layers.ts';
import { saliencyPicture } from '../pictures/saliency.ts';

const MOST_ROWS = 24;

/** How the requests that the two models answer differently went through them, and which training records pulled there. */
export function activations(file: CaseFile): Section {
  const finding = findingOf(file, 'activations');
  const detail = detailOf(file, 'activations');
  const title = 'Inside the model';
  if (!finding || !detail)
    return {
      id: 'activations',
      title,
      blocks: [paragraph(`Not measured: ${finding?.summary ?? 'nobody looked inside the model.'}`)],
    };
  return {
    id: 'activations',
    title,
    blocks: [
      paragraph(finding.summary),
      ...saliency(detail),
      ...patterns(detail),
      ...layers(detail),
      ...influence(detail),
      note('This informs: it contains no endpoint and drops no record.'),
    ],
  };
}

function saliency({ saliency: shown }: ActivationsDetail): readonly Block[] {
  if (shown === null) return [];
  const { preview, requests, top, width, missed } = shown;
  const cells = top.map(({ index, share }) => [
    width === 1
      ? count(index + 1)
      : `row ${count(Math.floor(index / width) + 1)}, column ${count((index % width) + 1)}`,
    percent(share),
  ]);
  return [
    ...(preview === null
      ? []
      : [
          {
            kind: 'picture' as const,
            caption: `Integrated gradients of what the suspect prefers and the golden model does not, mean of ${count(requests)} requests; the sum over the path misses ${percent(missed)} of the difference.`,
            pictures: bothWidths((size) => saliencyPicture(preview, requests, size)),
          },
        ]),
    ...(cells.length > 0
      ? [table('Where the suspect’s answer comes from', [column('Cell'), end('Share of the saliency')], cells)]
      : []),
  ];
}

function patterns({ patterns: found, pValues, classes }: ActivationsDetail): readonly Block[] {
  if (found === null || pValues === null) return [];
  const named = (index: number): string => classes[index] ?? `class ${index}`;
  return [
    table(
      `Suspect requests outside the pattern of their class in the last layer (clean records: ${count(found.clean.outside)} of ${count(found.clean.n)}; p-value ${pValue(pValues.patterns)})`,
      [column('Answered'), end('Requests'), end('Outside'), column('Most are nearest to, in the golden model')],
      [...found.classes]
        .sort((a, b) => b.requests - a.requests)
        .slice(0, MOST_ROWS)
        .map((row) => [
          named(row.answered),
          count(row.requests),
          count(row.outside),
          `${named(row.nearest)} (${count(row.near)})`,
        ]),
    ),
  ];
}

function layers({ layers: all, parts }: ActivationsDetail): readonly Block[] {
  if (all.length === 0) return [];
  return [
    {
      kind: 'picture' as const,
      caption: `Linear CKA of suspect and golden model, layer by layer: hollow on clean records, filled on the requests that they answer differently. 1 is the same up to rotation and scale. ${parts ? `The first layer that the golden model’s does not foretell for those requests: ${parts.layer}.` : ''}`,
      pictures: bothWidths((size) => layersPicture(all, size)),
    },
    table(
      'Layers',
      [
        column('Layer'),
        end('Units'),
        end('CKA, clean'),
        end('CKA, suspect requests'),
        end('p-value'),
        end('Not foretold'),
        end('Silent units'),
        end('Lit by the requests'),
      ],
      all.map((layer) => [
        layer.name,
        count(layer.units),
        layer.clean.toFixed(2),
        layer.requests === null ? NOT_MEASURED : layer.requests.toFixed(2),
        layer.pValue === null ? NOT_MEASURED : pValue(layer.pValue),
        layer.parted === null
          ? NOT_MEASURED
          : `${count(layer.parted.outside)} of ${count(layer.parted.requests)} (clean ${count(layer.parted.cleanOutside)} of ${count(layer.parted.clean)})`,
        count(layer.silent),
        count(layer.lit),
      ]),
    ),
  ];
}

function influence({ influence: found }: ActivationsDetail): readonly Block[] {
  if (found === null) return [];
  return [
    table(
      `Training records that pull towards the suspect’s answers: ${count(found.marked)} of ${count(found.examined)}, of clean ones at most ${percent(found.falseAlarmBudget)}`,
      [
        column('Batch'),
        column('Source'),
        end('Records'),
        end('Pulling'),
        end('Against clean'),
        end('Among the others'),
      ],
      found.byBatch
        .slice(0, MOST_ROWS)
        .map((row) => [
          row.batch,
          row.source,
          count(row.records),
          count(row.marked),
          pValue(row.pValue),
          pValue(row.amongOthers),
        ]),
    ),
  ];
}
