import { clip, html, type Html } from '../markup.ts';
import { canvas, NARROW, WIDE, type Width } from './canvas.ts';

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** The part of `value` that is drawn in the alarm colour. */
  readonly part: number;
  /** What stands beside the bar. */
  readonly words: string;
}

const LAYOUT = {
  wide: { width: WIDE, left: 210, right: 190, row: 28, bar: 14, letters: 28 },
  narrow: { width: NARROW, left: 2, right: 4, row: 42, bar: 11, letters: 26 },
} as const;

/** Above this ratio of the largest to the smallest positive value, a linear scale hides the small ones. */
const LOGARITHMIC_OVER = 50;

export function isLogarithmic(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0);
  return positive.length > 1 && Math.max(...positive) / Math.min(...positive) > LOGARITHMIC_OVER;
}

/** Horizontal bars. `log`: the axis is in decades from just below the smallest positive value; zero has no bar. */
export function bars(
  id: string,
  list: readonly Bar[],
  about: { title: string; description: string },
  options: { width: Width; log: boolean; tick: (value: number) => string },
): Html {
  const layout = LAYOUT[options.width];
  const chart = layout.width - layout.left - layout.right;
  const scale = scaleOf(
    list.map((bar) => bar.value),
    options.log,
  );
  const top = 26;
  const height = top + list.length * layout.row + 8;
  return canvas(
    `${id}-${options.width}`,
    { width: layout.width, height },
    about,
    [
      scale.ticks.map((tick) => {
        const x = layout.left + chart * scale.at(tick);
        const anchor = scale.at(tick) > 0.95 ? 'endward' : scale.at(tick) < 0.05 ? '' : 'middle';
        return html`<line x1="${x}" x2="${x}" y1="${top - 6}" y2="${height - 8}" class="grid" /><text
            x="${x}"
            y="${top - 11}"
            class="tick ${anchor}"
            >${options.tick(tick)}</text
          >`;
      }),
      list.map((bar, index) => {
        const y = top + index * layout.row;
        const barY = options.width === 'wide' ? y + (layout.row - layout.bar) / 2 : y + 24;
        const length = bar.value > 0 ? Math.max(2, chart * scale.at(bar.value)) : 0;
        const part = bar.value > 0 ? (length * bar.part) / bar.value : 0;
        const middle = y + layout.row / 2 + 4;
        return [
          options.width === 'wide'
            ? html`<text x="${layout.left - 12}" y="${middle}" class="label endward"
                  >${clip(bar.label, layout.letters)}</text
                ><text x="${layout.width - layout.right + 12}" y="${middle}" class="value">${bar.words}</text>`
            : html`<text x="2" y="${y + 17}" class="label">${clip(bar.label, layout.letters)}</text
                ><text x="${layout.width - 2}" y="${y + 17}" class="value endward">${bar.words}</text>`,
          html`<rect x="${layout.left}" y="${barY}" width="${length}" height="${layout.bar}" rx="2" class="bar" />`,
          part > 0 &&
            html`<rect
              x="${layout.left}"
              y="${barY}"
              width="${Math.max(2, part)}"
              height="${layout.bar}"
              rx="2"
              class="bar-part"
            />`,
        ];
      }),
    ],
    'bars',
  );
}

function scaleOf(values: readonly number[], log: boolean): { at: (value: number) => number; ticks: readonly number[] } {
  const positive = values.filter((value) => value > 0);
  const top = Math.max(...positive, Number.MIN_VALUE);
  if (positive.length === 0) return { at: () => 0, ticks: [] };
  if (!log) {
    const power = 10 ** Math.floor(Math.log10(top));
    const step = [0.25, 0.5, 1, 2, 5].map((factor) => factor * power).find((size) => top / size <= 4) ?? power;
    const ticks = Array.from({ length: Math.floor(top / step) + 1 }, (_, index) => index * step);
    return { at: (value) => value / top, ticks };
  }
  const low = Math.floor(Math.log10(Math.min(...positive)) - 1e-9);
  const high = Math.log10(top);
  const every = Math.ceil((high - low + 1) / 6);
  const ticks = Array.from({ length: Math.floor(high) - low + 1 }, (_, index) => index)
    .filter((index) => index % every === 0)
    .map((index) => 10 ** (low + index));
  return { at: (value) => (Math.log10(value) - low) / (high - low || 1), ticks };
}
