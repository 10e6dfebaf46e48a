import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { column, end, note, paragraph, table, type Section } from '../document.ts';
import { detailOf } from '../facts/details.ts';
import { count, percent, scientific } from '../figures.ts';
import { bars, isLogarithmic } from '../pictures/bars.ts';
import { bothWidths } from '../pictures/canvas.ts';

/** More tensors than these do not fit a page; the finding's record in evidence has all of them. */
const MAX_TENSORS = 24;

export function weights(file: CaseFile): Section {
  const detail = detailOf(file, 'weights');
  const title = 'Weights changed, by layer';
  if (!detail || detail.tensors.length === 0)
    return { id: 'weights', title, blocks: [paragraph('Not measured: the weights were not compared.')] };
  const largest = new Set(
    [...detail.tensors].sort((a, b) => b.relativeChange - a.relativeChange).slice(0, MAX_TENSORS),
  );
  const shown = detail.tensors.filter((tensor) => largest.has(tensor));
  const log = isLogarithmic(shown.map((tensor) => tensor.relativeChange));
  return {
    id: 'weights',
    title,
    blocks: [
      paragraph(
        `Over all layers the suspect's weights are ${percent(detail.relativeChange)} away from the golden model's (‖suspect − golden‖₂ / ‖golden‖₂).`,
      ),
      {
        kind: 'picture',
        caption: `Relative change of each tensor, in graph order${log ? '; the scale is logarithmic' : ''}.`,
        pictures: bothWidths((width) =>
          bars(
            'weights',
            shown.map((tensor) => ({
              label: tensor.name,
              value: tensor.relativeChange,
              part: 0,
              words: percent(tensor.relativeChange),
            })),
            {
              title: 'Relative change of the weights by layer',
              description: shown.map((tensor) => `${tensor.name}: ${percent(tensor.relativeChange)}`).join('; '),
            },
            { width, log, tick: (value) => `${scientific(100 * value)} %` },
          ),
        ),
      },
      table(
        'Weights of the suspect against the golden model',
        [
          column('Tensor'),
          column('Shape'),
          end('Relative change'),
          end('Entries changed'),
          end('‖golden‖₂'),
          end('‖suspect‖₂'),
          end('Effective rank of the change'),
        ],
        shown.map((tensor) => [
          tensor.name,
          tensor.shape.join(' × ') || 'scalar',
          percent(tensor.relativeChange),
          percent(tensor.changedShare),
          scientific(tensor.l2Golden),
          scientific(tensor.l2Suspect),
          tensor.effectiveRank.toFixed(1),
        ]),
      ),
      ...(detail.tensors.length > shown.length
        ? [
            note(
              `${count(detail.tensors.length - shown.length)} tensors with smaller changes are in the finding's record.`,
            ),
          ]
        : []),
    ],
  };
}
