import type { CaseFile } from '../../../domain/contracts/activities.ts';
import { column, end, note, paragraph, table, type Section } from '../document.ts';
import { classFlowsOf, type Flow } from '../facts/class-flow.ts';
import { detailOf } from '../facts/details.ts';
import { count, measured, pValue } from '../figures.ts';
import { html } from '../markup.ts';
import { heatMap } from '../pictures/heat-map.ts';

/** Where the captured requests went before the repair, and where the same requests go after it. */
export function classFlow(file: CaseFile): Section {
  const flows = classFlowsOf(file);
  const attack = detailOf(file, 'behaviour')?.attack ?? null;
  const title = 'Flow of classes, before and after';
  if (!flows)
    return { id: 'class-flow', title, blocks: [paragraph('Not measured: the captured requests were not replayed.')] };
  const { classes, before, after } = flows;
  return {
    id: 'class-flow',
    title,
    blocks: [
      paragraph(
        attack && flows.target !== null
          ? `The suspect gave class ${flows.target} to ${count(attack.count)} captured requests in a way that chance does not explain (p\u00a0${pWords(attack.pValue)}). `
          : 'No captured request was diverted to one class more often than chance explains. ',
        after
          ? 'The same requests were replayed on the candidate.'
          : 'No candidate was validated, so the flow after a repair was not measured.',
      ),
      {
        kind: 'picture',
        caption:
          'Captured requests by class. On the diagonal the model agrees with the golden one; off the diagonal it does not. Colour: share of the row.',
        pictures: [
          html`<div class="pair">
            ${heatMap('flow-before', before, classes, { title: 'Before: suspect', other: 'suspect' })}${after && heatMap('flow-after', after, classes, { title: 'After: candidate', other: 'candidate' })}
          </div>`,
        ],
      },
      table(
        'Captured requests that the golden model does not give to the target class, but this model does',
        [column('Model'), column('Share diverted')],
        [
          ['suspect (before)', measured(flows.divertedBefore)],
          ['candidate (after)', measured(flows.divertedAfter)],
        ],
      ),
      table(
        'Moves between classes',
        [column('Golden model says'), column('Other model says'), end('Suspect'), end('Candidate')],
        moves(classes, before, after),
      ),
      ...(flows.merged > 0
        ? [note(`${count(flows.merged)} classes with the least movement are put together as "other".`)]
        : []),
    ],
  };
}

const pWords = (p: number): string => (p < 1e-15 ? pValue(p) : `=\u00a0${pValue(p)}`);

const MAX_MOVES = 12;

/** The off-diagonal cells, most first: the figures of the picture for those who read them as text. */
function moves(classes: readonly string[], before: Flow, after: Flow | null): readonly (readonly string[])[] {
  const list = classes.flatMap((from, i) =>
    classes.flatMap((to, j) => {
      const was = before[i]?.[j] ?? 0;
      const is = after?.[i]?.[j] ?? 0;
      return i !== j && was + is > 0 ? [{ from, to, was, is }] : [];
    }),
  );
  if (list.length === 0) return [['none', '–', '0', after ? '0' : 'not measured']];
  const shown = [...list].sort((a, b) => b.was + b.is - (a.was + a.is)).slice(0, MAX_MOVES);
  const rest = list.length - shown.length;
  return [
    ...shown.map((move) => [move.from, move.to, count(move.was), after ? count(move.is) : 'not measured']),
    ...(rest > 0 ? [[`and ${rest} smaller moves`, '', '', '']] : []),
  ];
}
