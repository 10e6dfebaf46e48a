import type { ActivationsDetail } from '../../../domain/contracts/finding.ts';
import { clip, html, type Html } from '../markup.ts';
import { canvas, NARROW, WIDE, type Width } from './canvas.ts';

const LAYOUT = {
  wide: { width: WIDE, left: 210, right: 40, row: 28, letters: 28 },
  narrow: { width: NARROW, left: 96, right: 20, row: 28, letters: 12 },
} as const;

/** How alike the suspect's layers are to the golden model's: on clean records, and on the requests that the two answer differently. */
export function layersPicture(layers: ActivationsDetail['layers'], width: Width): Html {
  const layout = LAYOUT[width];
  const chart = layout.width - layout.left - layout.right;
  const x = (share: number): number => Math.round(10 * (layout.left + chart * share)) / 10;
  const top = 26;
  const height = top + layers.length * layout.row + 8;
  return canvas(
    `layers-${width}`,
    { width: layout.width, height },
    {
      title: 'Suspect and golden model, layer by layer',
      description: `${layers.map(({ name, clean, requests }) => `${name}: ${clean.toFixed(2)} on clean records, ${requests === null ? 'not measured' : requests.toFixed(2)} on the suspect requests`).join('; ')}.`,
    },
    [
      [0, 0.25, 0.5, 0.75, 1].map(
        (tick) =>
          html`<line x1="${x(tick)}" x2="${x(tick)}" y1="${top - 6}" y2="${height - 8}" class="grid" /><text
              x="${x(tick)}"
              y="${top - 11}"
              class="tick middle"
              >${tick}</text
            >`,
      ),
      layers.map(({ name, clean, requests }, index) => {
        const y = top + (index + 0.5) * layout.row;
        return [
          html`<text x="${layout.left - 12}" y="${y + 4}" class="label endward">${clip(name, layout.letters)}</text>`,
          requests !== null &&
            html`<line x1="${x(clean)}" x2="${x(requests)}" y1="${y}" y2="${y}" class="whisker" /><circle
                cx="${x(requests)}"
                cy="${y}"
                r="5"
                class="dot"
              />`,
          html`<circle cx="${x(clean)}" cy="${y}" r="4.5" class="dot golden" />`,
        ];
      }),
    ],
    'whiskers',
  );
}
