import type { Flow } from '../facts/class-flow.ts';
import { count } from '../figures.ts';
import { clip, html, type Html } from '../markup.ts';
import { canvas } from './canvas.ts';

const SIZE = 452;
const LEFT = 86;
const TOP = 64;

/**
 * Where requests went: one row per class of the golden model, one column per class of the other model. Colour is the share of the row;
 * the diagonal (the models agree) has a colour of its own, so that what moved stands out.
 */
export function heatMap(
  id: string,
  flow: Flow,
  classes: readonly string[],
  words: { title: string; other: string },
): Html {
  const n = Math.max(1, classes.length);
  const cell = (SIZE - LEFT - 4) / n;
  const moved = flow.reduce((sum, row, i) => sum + row.reduce((s, value, j) => s + (i === j ? 0 : value), 0), 0);
  const all = flow.reduce((sum, row) => sum + row.reduce((s, value) => s + value, 0), 0);
  const letters = Math.max(2, Math.floor(cell / 7));
  return canvas(
    id,
    { width: SIZE, height: TOP + n * cell + 6 },
    {
      title: words.title,
      description: `Of ${count(all)} captured requests, ${count(all - moved)} get the golden model's class from the ${words.other} and ${count(moved)} another one.`,
    },
    [
      html`<text x="${LEFT + (n * cell) / 2}" y="16" class="title middle">${words.title}</text>`,
      html`<text x="${LEFT + (n * cell) / 2}" y="36" class="axis middle">class given by the ${words.other}</text>`,
      html`<text transform="translate(14 ${TOP + (n * cell) / 2}) rotate(-90)" class="axis middle"
        >class given by the golden model</text
      >`,
      classes.map(
        (name, index) =>
          html`<text x="${LEFT + (index + 0.5) * cell}" y="${TOP - 9}" class="tick middle">${clip(name, letters)}</text
            ><text x="${LEFT - 8}" y="${TOP + (index + 0.5) * cell + 4}" class="tick endward">${clip(name, 7)}</text>`,
      ),
      flow.map((row, golden) => {
        const total = row.reduce((sum, value) => sum + value, 0);
        return row.map((value, other) => square({ value, total, golden, other, cell }));
      }),
    ],
    'heat-map',
  );
}

function square(at: { value: number; total: number; golden: number; other: number; cell: number }): Html {
  const { value, total, golden, other, cell } = at;
  const part = total === 0 ? 0 : value / total;
  const x = LEFT + other * cell;
  const y = TOP + golden * cell;
  const kind = golden === other ? 'agree' : 'moved';
  // Small shares must still be seen: the scale starts at a fifth.
  const opacity = value === 0 ? 0 : 0.18 + 0.82 * part;
  return html`<rect x="${x + 0.75}" y="${y + 0.75}" width="${cell - 1.5}" height="${cell - 1.5}" rx="2" class="bed" />${
      value > 0 &&
      html`<rect
          x="${x + 0.75}"
          y="${y + 0.75}"
          width="${cell - 1.5}"
          height="${cell - 1.5}"
          rx="2"
          class="${kind}"
          fill-opacity="${opacity.toFixed(2)}"
        /><text x="${x + cell / 2}" y="${y + cell / 2 + 4}" class="cell middle ${opacity > 0.55 ? 'on-strong' : ''}"
          >${value > 99_999 ? `${Math.round(value / 1000)}k` : String(value)}</text
        >`
    }`;
}
