import type { Interval } from '../../../domain/contracts/interval.ts';
import { percent } from '../figures.ts';
import { clip, html, type Html } from '../markup.ts';
import { canvas, NARROW, WIDE, type Width } from './canvas.ts';

export interface WhiskerRow {
  readonly label: string;
  readonly candidate: Interval;
  readonly golden: Interval | null;
}

const LAYOUT = {
  wide: { width: WIDE, left: 276, right: 28, row: 58, top: 8, axis: 46, letters: 38 },
  narrow: { width: NARROW, left: 14, right: 14, row: 82, top: 30, axis: 70, letters: 40 },
} as const;

/** Proportions with their intervals, candidate over golden; every row has a scale of its own, written at its ends. */
export function whiskers(rows: readonly WhiskerRow[], width: Width): Html {
  const layout = LAYOUT[width];
  const chart = layout.width - layout.left - layout.right;
  return canvas(
    `whiskers-${width}`,
    { width: layout.width, height: rows.length * layout.row + 8 },
    {
      title: 'Candidate and golden model, with confidence intervals',
      description: `${rows.map((row) => `${row.label}: candidate ${percent(row.candidate.value)}, golden ${row.golden ? percent(row.golden.value) : 'not measured'}`).join('; ')}.`,
    },
    rows.map((row, index) => {
      const y = index * layout.row;
      const [low, high] = domainOf(row);
      const x = (value: number): number => layout.left + (chart * (value - low)) / (high - low);
      const label =
        width === 'wide'
          ? html`<text x="${layout.left - 16}" y="${y + 26}" class="label endward"
              >${clip(row.label, layout.letters)}</text
            >`
          : html`<text x="2" y="${y + 17}" class="label">${clip(row.label, layout.letters)}</text>`;
      return [
        label,
        html`<line
            x1="${layout.left}"
            x2="${layout.left + chart}"
            y1="${y + layout.axis - 10}"
            y2="${y + layout.axis - 10}"
            class="grid"
          /><text x="${layout.left}" y="${y + layout.axis + 4}" class="tick">${percent(low)}</text
          ><text x="${layout.left + chart}" y="${y + layout.axis + 4}" class="tick endward">${percent(high)}</text>`,
        whisker(row.candidate, x, y + layout.top + 5, 'candidate'),
        row.golden && whisker(row.golden, x, y + layout.top + 18, 'golden'),
      ];
    }),
    'whiskers',
  );
}

function whisker(interval: Interval, x: (value: number) => number, y: number, kind: string): Html {
  return html`<line
      x1="${x(interval.low)}"
      x2="${x(interval.high)}"
      y1="${y}"
      y2="${y}"
      class="whisker ${kind}"
    /><circle cx="${x(interval.value)}" cy="${y}" r="4.5" class="dot ${kind}" />`;
}

/** The intervals with some air, on round percentages, within 0 and 1. */
function domainOf(row: WhiskerRow): readonly [number, number] {
  const all = [row.candidate, ...(row.golden ? [row.golden] : [])];
  const low = Math.min(...all.map((interval) => interval.low));
  const high = Math.max(...all.map((interval) => interval.high));
  const step = high - low > 0.2 ? 0.1 : high - low > 0.02 ? 0.01 : 0.005;
  const from = Math.max(0, Math.floor(low / step - 0.2) * step);
  const to = Math.min(1, Math.ceil(high / step + 0.2) * step);
  return to > from ? [from, to] : [Math.max(0, from - step), Math.min(1, to + step)];
}
