import { html, type Html } from '../markup.ts';
import type { Width } from './canvas.ts';

/** Side of one drawn picture in user units; two stand beside each other, with their words below. */
const SIDE = { wide: 220, narrow: 160 } as const;
const GAP = 16;
const WORDS = 26;

/** Two pictures of the same cells beside each other. */
export interface Cells {
  /** Where the second picture begins. */
  readonly second: number;
  readonly height: number;
  /** The cells from `left` on; `paint` gives the attributes of each, in row-major order. */
  painted(left: number, paint: (index: number) => Html): readonly Html[];
  frame(left: number): Html;
  /** What stands below the picture. */
  words(left: number, text: string): Html;
}

export function cellsOf({ width, height }: { readonly width: number; readonly height: number }, size: Width): Cells {
  const cell = SIDE[size] / Math.max(width, height);
  const tall = Math.ceil(cell * height) + WORDS;
  return {
    second: SIDE[size] + GAP,
    height: tall,
    painted: (left, paint) =>
      Array.from(
        { length: width * height },
        (_, index) =>
          html`<rect
            x="${rounded(left + (index % width) * cell)}"
            y="${rounded(Math.floor(index / width) * cell)}"
            width="${rounded(cell)}"
            height="${rounded(cell)}"
            ${paint(index)}
          />`,
      ),
    frame: (left) =>
      html`<rect
        x="${left}"
        y="0"
        width="${rounded(cell * width)}"
        height="${rounded(cell * height)}"
        fill="none"
        class="grid"
      />`,
    words: (left, text) => html`<text x="${left}" y="${tall - 8}" class="tick">${text}</text>`,
  };
}

export function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}
