import type { TriggerPreview } from '../../../domain/contracts/finding.ts';
import { html, type Html } from '../markup.ts';
import { canvas, NARROW, WIDE, type Width } from './canvas.ts';

/** Side of one drawn picture in user units; the two stand beside each other, with their words below. */
const SIDE = { wide: 220, narrow: 160 } as const;
const GAP = 16;

/** The recovered trigger: what it covers, and what it looks like where it covers. */
export function triggerPicture(preview: TriggerPreview, target: string, width: Width): Html {
  const side = SIDE[width];
  const cell = side / Math.max(preview.width, preview.height);
  const pattern = Buffer.from(preview.pattern, 'base64');
  const mask = Buffer.from(preview.mask, 'base64');
  const height = Math.ceil(cell * preview.height) + 26;
  const grid = (left: number, shade: (index: number) => { grey: number; opacity: number }): readonly Html[] =>
    Array.from({ length: preview.width * preview.height }, (_, index) => {
      const { grey, opacity } = shade(index);
      const x = left + (index % preview.width) * cell;
      const y = Math.floor(index / preview.width) * cell;
      return html`<rect
        x="${round(x)}"
        y="${round(y)}"
        width="${round(cell)}"
        height="${round(cell)}"
        fill="rgb(${grey},${grey},${grey})"
        fill-opacity="${round(opacity)}"
      />`;
    });
  const second = side + GAP;
  const frame = (left: number): Html =>
    html`<rect
      x="${left}"
      y="0"
      width="${round(cell * preview.width)}"
      height="${round(cell * preview.height)}"
      fill="none"
      class="grid"
    />`;
  return canvas(
    `trigger-${width}`,
    { width: width === 'wide' ? WIDE : NARROW, height },
    {
      title: `The recovered trigger for ${target}`,
      description: `On the left where it covers the input, on the right its pattern there; ${preview.width} by ${preview.height} cells.`,
    },
    [
      ...grid(0, (index) => ({ grey: 255 - (mask[index] ?? 0), opacity: 1 })),
      ...grid(second, (index) => ({ grey: pattern[index] ?? 0, opacity: (mask[index] ?? 0) / 255 })),
      frame(0),
      frame(second),
      html`<text x="0" y="${height - 8}" class="tick">covers (dark)</text>
        <text x="${second}" y="${height - 8}" class="tick">pattern</text>`,
    ],
  );
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}
